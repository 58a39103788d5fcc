package org.plover.disk.nbd;

import java.util.Map;
import org.osgi.service.component.annotations.Component;
import org.plover.api.settings.SettingsCheck;
import org.plover.api.settings.SettingsView;

/** Judges a configuration before it is in force, by the code that judges it then. */
@Component(property = SettingsCheck.PID + "=" + NbdDiskConfig.PID)
public final class DiskSettingsCheck implements SettingsCheck {
    @Override
    public void check(String pid, Map<String, Object> values) {
        NbdDiskConfig config = SettingsView.of(NbdDiskConfig.class, values);
        new StoreSettings(config.journalBytesMax(), config.writebackBytesMax(), config.heldBytesMax());
    }
}
