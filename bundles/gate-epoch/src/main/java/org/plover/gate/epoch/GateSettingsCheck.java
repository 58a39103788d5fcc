package org.plover.gate.epoch;

import java.util.Map;
import org.osgi.service.component.annotations.Component;
import org.plover.api.settings.SettingsCheck;
import org.plover.api.settings.SettingsView;

/** Judges a configuration before it is in force, by the code that judges it then. */
@Component(property = SettingsCheck.PID + "=" + EpochGateConfig.PID)
public final class GateSettingsCheck implements SettingsCheck {
    @Override
    public void check(String pid, Map<String, Object> values) {
        EpochGateConfig config = SettingsView.of(EpochGateConfig.class, values);
        new GateLimits(config.bytesMax(), config.framesMax(), config.standbyBytesMax());
    }
}
