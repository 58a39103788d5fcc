package org.plover.replication;

import java.nio.file.Path;
import java.util.Map;
import org.osgi.service.component.annotations.Component;
import org.plover.api.settings.SettingsCheck;
import org.plover.api.settings.SettingsView;

/** Judges a configuration before it is in force, by the code that judges it then. */
@Component(property = SettingsCheck.PID + "=" + VmComponent.PID)
public final class VmSettingsCheck implements SettingsCheck {
    private static final char SEPARATOR = '~';

    @Override
    public void check(String pid, Map<String, Object> values) {
        // Where the data directory is makes no difference to whether the values fit.
        VmSettings.of(pid.substring(pid.indexOf(SEPARATOR) + 1), SettingsView.of(VmConfig.class, values), Path.of("data"));
    }
}
