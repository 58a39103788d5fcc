package org.plover.health;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.lang.reflect.Proxy;
import java.util.List;
import org.apache.felix.hc.api.Result;
import org.junit.Test;
import org.osgi.framework.dto.BundleDTO;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;
import org.osgi.service.component.runtime.dto.UnsatisfiedReferenceDTO;

public class ComponentsCheckTest {
    @Test
    public void shouldBeFineWithPartsThatRunOrAreNotWanted() {
        assertEquals(Result.Status.OK, check("org.plover.gate", ComponentConfigurationDTO.ACTIVE).getStatus());
        assertEquals(Result.Status.OK, check("org.plover.gate", ComponentConfigurationDTO.UNSATISFIED_CONFIGURATION).getStatus());
    }

    @Test
    public void shouldNameAPartThatLacksAnotherOne() {
        Result result = check("org.plover.gate", ComponentConfigurationDTO.UNSATISFIED_REFERENCE);
        assertEquals(Result.Status.CRITICAL, result.getStatus());
        assertTrue(result.toString(), result.toString().contains("gate lacks machine (machine.id=*)"));
    }

    @Test
    public void shouldNameAPartThatHasFailed() {
        Result result = check("org.plover.gate", ComponentConfigurationDTO.FAILED_ACTIVATION);
        assertEquals(Result.Status.CRITICAL, result.getStatus());
        assertTrue(result.toString(), result.toString().contains("gate has failed: java.io.IOException: no room"));
    }

    @Test
    public void shouldLeaveOtherPeoplesPartsToThem() {
        assertEquals(Result.Status.OK, check("org.example.thing", ComponentConfigurationDTO.FAILED_ACTIVATION).getStatus());
    }

    private static Result check(String bundle, int state) {
        ComponentDescriptionDTO part = new ComponentDescriptionDTO();
        part.name = "gate";
        part.bundle = new BundleDTO();
        part.bundle.symbolicName = bundle;
        ComponentConfigurationDTO component = new ComponentConfigurationDTO();
        component.state = state;
        component.failure = "java.io.IOException: no room\n\tat org.example";
        UnsatisfiedReferenceDTO missing = new UnsatisfiedReferenceDTO();
        missing.name = "machine";
        missing.target = "(machine.id=*)";
        component.unsatisfiedReferences = new UnsatisfiedReferenceDTO[] {missing};
        ServiceComponentRuntime runtime = (ServiceComponentRuntime) Proxy.newProxyInstance(ComponentsCheckTest.class.getClassLoader(),
                new Class<?>[] {ServiceComponentRuntime.class}, (proxy, method, arguments) -> switch (method.getName()) {
                    case "getComponentDescriptionDTOs" -> List.of(part);
                    case "getComponentConfigurationDTOs" -> List.of(component);
                    default -> throw new UnsupportedOperationException(method.getName());
                });
        return new ComponentsCheck(runtime).execute();
    }
}
