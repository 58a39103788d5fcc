package org.plover.network.tap;

import java.util.Map;
import org.osgi.service.component.annotations.Component;
import org.plover.api.settings.SettingsCheck;
import org.plover.api.settings.SettingsView;

/** Judges a configuration before it is in force, by the code that judges it then. */
@Component(property = SettingsCheck.PID + "=" + TapConfig.PID)
public final class TapSettingsCheck implements SettingsCheck {
    @Override
    public void check(String pid, Map<String, Object> values) {
        TapConfig config = SettingsView.of(TapConfig.class, values);
        new TapSettings(config.announceCount(), config.announceIntervalMillis(), config.addressAgeSeconds(), config.queueFrames());
    }
}
