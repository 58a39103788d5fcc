package org.plover.health;

import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Collectors;
import org.apache.felix.hc.api.FormattingResultLog;
import org.apache.felix.hc.api.HealthCheck;
import org.apache.felix.hc.api.Result;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;

/**
 * Looks for parts of the appliance whose component has failed or lacks something: their bundle is active all the same. One
 * without a configuration is not wanted, and is fine.
 */
@Component(property = {HealthCheck.NAME + "=Parts of the appliance", HealthCheck.TAGS + "=plover", HealthCheck.TAGS + "=parts"})
public final class ComponentsCheck implements HealthCheck {
    private static final String OURS = "org.plover.";

    private final ServiceComponentRuntime components;

    @Activate
    public ComponentsCheck(@Reference ServiceComponentRuntime components) {
        this.components = components;
    }

    @Override
    public Result execute() {
        FormattingResultLog log = new FormattingResultLog();
        int fine = 0;
        for (ComponentDescriptionDTO part : components.getComponentDescriptionDTOs()) {
            if (!part.bundle.symbolicName.startsWith(OURS)) {
                continue;
            }
            for (ComponentConfigurationDTO component : components.getComponentConfigurationDTOs(part)) {
                switch (component.state) {
                    case ComponentConfigurationDTO.FAILED_ACTIVATION -> log.critical("{} has failed: {}; the appliance's log says more",
                            part.name, firstLine(component.failure));
                    case ComponentConfigurationDTO.UNSATISFIED_REFERENCE -> log.critical("{} lacks {}; start or install a part that offers it",
                            part.name, missing(component));
                    default -> fine++;
                }
            }
        }
        log.info("{} components of the appliance have what they need", fine);
        return new Result(log);
    }

    private static String missing(ComponentConfigurationDTO component) {
        return Arrays.stream(component.unsatisfiedReferences)
                .map(reference -> reference.name + (reference.target == null ? "" : " " + reference.target))
                .collect(Collectors.joining(", "));
    }

    /** What it failed with is a stack trace. */
    private static String firstLine(String failure) {
        return Objects.toString(failure, "no reason given").lines().findFirst().orElse("no reason given");
    }
}
