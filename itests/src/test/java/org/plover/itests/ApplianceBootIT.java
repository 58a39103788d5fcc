package org.plover.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.inject.Inject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;
import org.plover.api.hasher.PageHasherProvider;
import org.plover.api.policy.SyncPolicy;

/** The bundles of the assembled appliance, each at its start level, looked at from a bundle among them. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class ApplianceBootIT {

    private static final String IDLE_POLICY_PID = "org.plover.policy.idle";

    @Inject
    private BundleContext context;
    @Inject
    private ServiceComponentRuntime components;
    @Inject
    private ConfigurationAdmin configurations;

    @org.ops4j.pax.exam.Configuration
    public Option[] appliance() throws IOException {
        return ShippedBundles.options("boot").toArray(Option[]::new);
    }

    @Test
    public void shouldHaveEveryBundleActive() {
        List<String> notActive = Arrays.stream(context.getBundles())
                .filter(bundle -> bundle.getHeaders().get(Constants.FRAGMENT_HOST) == null)
                .filter(bundle -> bundle.getState() != Bundle.ACTIVE)
                .map(bundle -> bundle + " is in state " + bundle.getState())
                .toList();
        assertEquals(List.of(), notActive);
        assertTrue("the appliance's own bundles are there",
                Arrays.stream(context.getBundles()).filter(bundle -> bundle.getSymbolicName().startsWith("org.plover.")).count() > 10);
    }

    @Test
    public void shouldHaveNoComponentThatFailedToActivate() {
        List<String> failures = new ArrayList<>();
        List<String> waiting = new ArrayList<>();
        int[] ours = {0};
        for (ComponentDescriptionDTO description : components.getComponentDescriptionDTOs()) {
            ours[0] += description.bundle.symbolicName.startsWith("org.plover.") ? 1 : 0;
            for (ComponentConfigurationDTO component : components.getComponentConfigurationDTOs(description)) {
                switch (component.state) {
                    case ComponentConfigurationDTO.ACTIVE, ComponentConfigurationDTO.SATISFIED -> { }
                    case ComponentConfigurationDTO.FAILED_ACTIVATION -> failures.add(description.name + ": " + component.failure);
                    case ComponentConfigurationDTO.UNSATISFIED_CONFIGURATION ->
                            waiting.add(description.name + " waits for configuration " + List.of(description.configurationPid));
                    default -> {
                        List<String> missing = Arrays.stream(component.unsatisfiedReferences)
                                .map(reference -> reference.name + " " + Objects.toString(reference.target, "")).toList();
                        if (missing.isEmpty()) {
                            failures.add(description.name + ": state " + component.state + ", but does not say why");
                        }
                        waiting.add(description.name + " waits for " + missing);
                    }
                }
            }
        }
        System.out.println("components that wait: " + waiting);
        assertEquals(List.of(), failures);
        assertTrue("the appliance has components of its own", ours[0] > 0);
    }

    @Test
    public void shouldOfferEveryPageHasher() throws Exception {
        for (String id : List.of("xxh3", "java", "aes")) {
            Await.until("there is a page hasher " + id,
                    () -> !context.getServiceReferences(PageHasherProvider.class, "(hasher.id=" + id + ")").isEmpty());
        }
    }

    @Test
    public void shouldBringConfigurationToRunningComponentWithoutRestart() throws Exception {
        Await.until("the idle policy is there", () -> idlePolicy() != null);
        ServiceReference<SyncPolicy> before = idlePolicy();
        SyncPolicy policy = context.getService(before);
        assertNotNull(policy);
        Configuration configuration = configurations.getConfiguration(IDLE_POLICY_PID, "?");
        try {
            configuration.update(new Hashtable<>(Map.of("sampleIntervalMicros", 777)));
            Await.until("the policy samples every 777 us", () -> policy.sampleIntervalMicros() == 777);
            assertEquals("the service that was there before", serviceId(before), serviceId(idlePolicy()));
        } finally {
            configuration.delete();
        }
        Await.until("the policy is back at its default", () -> policy.sampleIntervalMicros() != 777);
        context.ungetService(before);
    }

    @Test
    public void shouldTakeConfigurationFromFileAndLetItGoWithTheFile() throws Exception {
        ServiceReference<SyncPolicy> reference = idlePolicy();
        SyncPolicy policy = context.getService(reference);
        Path file = Path.of(context.getProperty("felix.fileinstall.dir"), IDLE_POLICY_PID + ".cfg");
        Files.writeString(file, "# quick\nsampleIntervalMicros = 888\n");
        Await.until("the file is in force", () -> policy.sampleIntervalMicros() == 888);

        configurations.getConfiguration(IDLE_POLICY_PID, "?")
                .update(new Hashtable<>(Map.of("sampleIntervalMicros", 999)));
        Await.until("a change elsewhere has come back into the file",
                () -> Files.readString(file).equals("# quick\nsampleIntervalMicros = 999\n"));

        Files.delete(file);
        Await.until("the policy is back at its default", () -> policy.sampleIntervalMicros() == 500);
        context.ungetService(reference);
    }

    private ServiceReference<SyncPolicy> idlePolicy() throws InvalidSyntaxException {
        return context.getServiceReferences(SyncPolicy.class, "(" + SyncPolicy.ID + "=idle)").stream().findFirst().orElse(null);
    }

    private static Object serviceId(ServiceReference<?> reference) {
        return reference.getProperty(Constants.SERVICE_ID);
    }
}
