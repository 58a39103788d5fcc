package org.plover.webhook;

import java.util.Map;
import org.osgi.service.component.annotations.Component;
import org.plover.api.settings.SettingsCheck;
import org.plover.api.settings.SettingsView;

/** Judges a configuration before it is in force, by the code that judges it then. A secret's file may come later. */
@Component(property = SettingsCheck.PID + "=" + WebhookConfig.PID)
public final class WebhookSettingsCheck implements SettingsCheck {
    @Override
    public void check(String pid, Map<String, Object> values) {
        WebhookSettings.of(SettingsView.of(WebhookConfig.class, values));
    }
}
