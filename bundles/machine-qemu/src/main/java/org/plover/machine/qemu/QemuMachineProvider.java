package org.plover.machine.qemu;

import java.util.List;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.metatype.annotations.Designate;
import org.plover.api.health.Finding;
import org.plover.api.health.PreflightCheck;
import org.plover.api.machine.Machine;
import org.plover.api.machine.MachineException;
import org.plover.api.machine.MachineListener;
import org.plover.api.machine.MachineProvider;
import org.plover.api.machine.MachineSpec;

/** Guests in QEMU, by KVM or emulation. */
@Component(service = {MachineProvider.class, PreflightCheck.class}, configurationPid = "org.plover.machine.qemu",
        property = {MachineProvider.ID + "=qemu", "preflight.name=qemu"})
@Designate(ocd = QemuConfiguration.class)
public final class QemuMachineProvider implements MachineProvider, PreflightCheck {
    private volatile Settings settings = Settings.DEFAULT;

    @Activate
    @Modified
    void configure(QemuConfiguration configuration) {
        settings = Settings.of(configuration);
    }

    /** For tests: a provider outside OSGi. */
    static QemuMachineProvider with(Settings settings) {
        QemuMachineProvider provider = new QemuMachineProvider();
        provider.settings = settings;
        return provider;
    }

    @Override
    public String id() {
        return "qemu";
    }

    @Override
    public List<Finding> preflight(MachineSpec spec) {
        return new HostCheck(settings).checkFor(spec);
    }

    @Override
    public List<Finding> check() {
        return new HostCheck(settings).check();
    }

    @Override
    public Machine create(MachineSpec spec, MachineListener listener) throws MachineException {
        Settings now = settings;
        List<Finding> findings = new HostCheck(now).quickCheck(spec);
        for (Finding finding : findings) {
            if (finding.level() == Finding.Level.ERROR) {
                throw new MachineException("VM " + spec.name() + ": " + finding.subject() + ": " + finding.text() + "; "
                        + finding.remedy());
            }
        }
        return new QemuMachine(now, () -> settings.answerMillisMin(), spec, listener);
    }
}
