package org.plover.policy.str;

import java.util.Map;
import org.osgi.service.component.annotations.Component;
import org.plover.api.settings.SettingsCheck;
import org.plover.api.settings.SettingsView;

/** Judges a configuration before it is in force, by the code that judges it then. */
@Component(property = SettingsCheck.PID + "=" + StrConfig.PID)
public final class StrSettingsCheck implements SettingsCheck {
    @Override
    public void check(String pid, Map<String, Object> values) {
        StrSettings.of(SettingsView.of(StrConfig.class, values));
    }
}
