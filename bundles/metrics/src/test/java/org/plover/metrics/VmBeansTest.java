package org.plover.metrics;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.lang.management.ManagementFactory;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.junit.Test;

public class VmBeansTest {
    private final MBeanServer server = ManagementFactory.getPlatformMBeanServer();

    @Test
    public void shouldShowAVmForAsLongAsItIsThere() throws JMException {
        ObjectName name = new ObjectName("org.plover:type=ProtectedVm,name=redis");
        VmBeans beans = new VmBeans();
        FakeVm vm = new FakeVm();
        beans.addVm(vm);
        assertEquals("PRIMARY", server.getAttribute(name, "Role"));
        assertEquals(true, server.getAttribute(name, "ProtectedNow"));
        assertEquals(48213L, server.getAttribute(name, "Epoch"));
        assertArrayEquals(new String[] {"alpha", "beta"}, (String[]) server.getAttribute(name, "MembersInSync"));
        FakeVm anew = new FakeVm();
        beans.addVm(anew);
        beans.removeVm(vm);
        assertTrue("it is there, as another service", server.isRegistered(name));
        beans.removeVm(anew);
        assertFalse(server.isRegistered(name));
    }
}
