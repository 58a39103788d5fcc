package org.plover.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertSame;
import static org.junit.Assert.assertTrue;
import static org.ops4j.pax.exam.CoreOptions.systemPackages;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.inject.Inject;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.plover.api.hasher.PageHasherProvider;
import org.plover.api.policy.Decision;
import org.plover.api.policy.SyncPolicy;
import org.plover.api.status.EpochRecord;
import org.plover.api.status.ProtectedVm;
import org.plover.api.status.VerifyReport;
import org.plover.demo.Checker;
import org.plover.demo.CheckerOptions;
import org.plover.demo.CheckerReport;

/**
 * The primary of a protected Redis runs in this container, its backup and witness as processes of the distribution. Hashers
 * and sync policies come, go and change while clients work, and nobody may notice.
 *
 * <p>Runs in a network namespace of its own (see {@code src/test/namespace}): members talk over its loopback interface, and
 * the client over the guest's tap, which is on no bridge.
 */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class HasherSwapIT {

    private static final String VM = "swap";
    private static final String TAP = "plv-swap-a";
    private static final String IDLE_POLICY_PID = "org.plover.policy.idle";
    private static final String CLIENT_ADDRESS = "10.79.0.1";
    private static final String GUEST_ADDRESS = "10.79.0.10";
    private static final int REDIS_PORT = 6379;
    private static final int CONNECTIONS = 4;
    private static final int MEMORY_MIB = 256;
    private static final int PAGES = MEMORY_MIB << 8;
    private static final int EPOCHS = 25;
    private static final int INTERVAL_MILLIS = 60;
    /** Default of the STR policy. */
    private static final int STR_INTERVAL_MILLIS = 100;
    /** A guest boots without hardware virtualisation, on a host that does more than this. */
    private static final Duration BOOT = Duration.ofSeconds(180);

    @Inject
    private BundleContext context;
    @Inject
    private ConfigurationAdmin configurations;

    private final List<Member> others = new ArrayList<>();
    private Path home;
    private Path ram;
    private Configuration machine;
    private Configuration peers;
    private Configuration vmConfiguration;
    private ServiceReference<ProtectedVm> reference;
    private ProtectedVm vm;
    private Checker checker;
    private String policy = "idle";

    @org.ops4j.pax.exam.Configuration
    public Option[] appliance() throws IOException {
        List<Option> options = ShippedBundles.options(VM);
        // The client that checks is no bundle; it comes from the test's class path.
        options.add(systemPackages("org.plover.demo", "org.HdrHistogram"));
        return options.toArray(Option[]::new);
    }

    @Before
    public void protectGuestUnderLoad() throws Exception {
        assertEquals("this test has to run in a network namespace of its own", List.of("lo"), interfaces());
        home = Path.of(context.getProperty("plover.data"));
        ram = Files.createDirectory(Path.of("/dev/shm/plover-it-" + ProcessHandle.current().pid()));
        Path launcher = Path.of(System.getProperty("plover.it.appliance")).toRealPath().resolve("bin/plover");
        List<String> pins = List.of(pin(launcher, "a", home), pin(launcher, "b", home.resolve("b/data")), pin(launcher, "w", home.resolve("w/data")));
        peers = configurations.getConfiguration("org.plover.peers", "?");
        peers.update(new Hashtable<>(Map.of("pins", pins.toArray(String[]::new))));
        for (String name : List.of("b", "w")) {
            Files.writeString(Files.createDirectories(home.resolve(name + "/config")).resolve("org.plover.peers.config"),
                    "pins=[" + String.join(",", pins.stream().map(pin -> '"' + pin.replace("=", "\\=") + '"').toList()) + "]\n");
            others.add(Member.start(launcher, configured(name), name));
        }
        machine = configurations.getConfiguration("org.plover.machine.qemu", "?");
        machine.update(new Hashtable<>(Map.of("ramDirectory", Files.createDirectory(ram.resolve("a")).toString())));
        vmConfiguration = configurations.getFactoryConfiguration("org.plover.vm", VM, "?");
        hashers("xxh3", "java");

        Await.until("the tap is there", () -> interfaces().contains(TAP));
        Command.Result address = Command.run(home, "ip", "address", "add", CLIENT_ADDRESS + "/24", "dev", TAP);
        assertEquals(address.output(), 0, address.exitCode());
        Await.until("the VM is a service", () -> vmReference() != null);
        reference = vmReference();
        vm = context.getService(reference);
        Await.until("the guest is protected", BOOT, () -> vm.status().protectedNow());
        checker = Checker.start(CheckerOptions.of(GUEST_ADDRESS, REDIS_PORT).withConnections(CONNECTIONS)
                .withThink(Duration.ofMillis(5)).withConnectTimeout(BOOT).withAnswerTimeout(Duration.ofSeconds(30)));
        // A guest that has just booted has caches to fill; what is asserted is the time after that.
        Await.until("the load runs", () -> checker.acknowledgedWrites() > 20 * CONNECTIONS);
    }

    @After
    public void removeAll() throws Exception {
        if (checker != null) {
            checker.close();
        }
        if (vmConfiguration != null) {
            vmConfiguration.delete();
            machine.delete();
            peers.delete();
        }
        for (Member member : others) {
            member.close();
        }
        Await.until("the primary has stopped", () -> vmReference() == null && !interfaces().contains(TAP));
        List<Path> left;
        try (Stream<Path> files = Files.walk(ram)) {
            left = files.filter(Files::isRegularFile).toList();
        }
        assertEquals("no guest memory is left", List.of(), left);
        for (String name : List.of("a", "b", "w")) {
            Files.deleteIfExists(ram.resolve(name));
        }
        Files.delete(ram);
    }

    @Test
    public void shouldSwapHashersAndPoliciesAndTuneThemWhileClientsWork() throws Exception {
        try (ProtectionWatch watch = new ProtectionWatch(vm)) {
            goesOnWith("xxh3");
            hashers("java");
            goesOnWith("java");
            hashers("aes", "java");
            goesOnWith("aes");
            hashers("xxh3", "java");
            goesOnWith("xxh3");

            Bundle xxh3 = bundle("org.plover.hasher.xxh3");
            xxh3.stop();
            goesOnWith("java");
            xxh3.start();
            goesOnWith("xxh3");

            xxh3.stop();
            hashers("java");
            assertEquals("the Java hasher is an ordinary ServiceLoader jar, published by SPI Fly",
                    bundle("org.apache.aries.spifly.dynamic.bundle").getBundleId(),
                    ((Number) hasherReference("java").getProperty("serviceloader.mediator")).longValue());
            goesOnWith("java");
            goesOnWithoutAnyHasher(bundle("org.plover.hasher.java")); // another one is installed, and was not asked for
            goesOnWith("java");
            xxh3.start();
            hashers("xxh3", "java");
            goesOnWith("xxh3");

            takesPolicyTuning();
            swapsPolicies();

            VerifyReport memory = vm.verify().get(60, TimeUnit.SECONDS);
            assertEquals(PAGES, memory.pagesCompared());
            assertEquals("pages that differ: " + memory.firstDiffering(), 0, memory.pagesDiffering());
            assertEquals(List.of(), watch.incidents());
            assertTrue("the watch has watched", watch.looks() > 100);
        }
        ServiceReference<ProtectedVm> now = vmReference();
        assertEquals("the very service that was there before", reference, now);
        assertSame("the very component", vm, context.getService(now));

        CheckerReport report = checker.stop();
        assertEquals(report.problems().toString(), 0, report.lostWrites());
        assertEquals(report.problems().toString(), 0, report.staleReads());
        assertEquals(report.problems().toString(), 0, report.connectionsBroken());
        assertTrue(report.problems().toString(), report.clean());
        assertEquals(CONNECTIONS, report.connections());
    }

    /** The hasher is in use, and epochs are committed whose digests, made by it on both sides, find equal pages. */
    private void goesOnWith(String hasher) throws Exception {
        Await.until("the hasher in use is " + hasher, () -> vm.status().hasher().equals(hasher));
        List<EpochRecord> epochs = nextEpochs();
        assertTrue("digests by " + hasher + " find equal pages: " + epochs,
                epochs.stream().mapToLong(EpochRecord::samePages).sum() > 0);
    }

    /** Without any hasher every dirty page counts as different, which costs bytes and nothing else. */
    private void goesOnWithoutAnyHasher(Bundle last) throws Exception {
        last.stop();
        Await.until("no hasher is in use", () -> vm.status().hasher().isEmpty());
        List<EpochRecord> epochs = nextEpochs();
        assertEquals("pages that were found to be equal: " + epochs, 0, epochs.stream().mapToLong(EpochRecord::samePages).sum());
        assertTrue(epochs.toString(), epochs.stream().mapToLong(EpochRecord::dirtyPages).sum() > 0);
        last.start();
    }

    /** Epochs that began after this call, with clients' writes in them. */
    private List<EpochRecord> nextEpochs() throws Exception {
        long writes = checker.acknowledgedWrites();
        // One epoch may be ending at the moment, in the old way.
        long from = vm.status().epoch() + 2;
        Await.until(EPOCHS + " epochs after " + from + " are committed", () -> vm.epochsSince(from).size() >= EPOCHS);
        Await.until("clients' writes go on", () -> checker.acknowledgedWrites() > writes);
        return vm.epochsSince(from);
    }

    private void takesPolicyTuning() throws Exception {
        ServiceReference<SyncPolicy> before = policyReference();
        SyncPolicy policy = context.getService(before);
        Configuration configuration = configurations.getConfiguration(IDLE_POLICY_PID, "?");
        configuration.update(new Hashtable<>(Map.of("intervalMillisMin", INTERVAL_MILLIS, "sampleIntervalMicros", 777)));
        Await.until("the running policy samples every 777 us", () -> policy.sampleIntervalMicros() == 777);
        for (EpochRecord epoch : nextEpochs()) {
            assertTrue("no epoch is shorter than the policy now says: " + epoch,
                    epoch.intervalMicros() >= TimeUnit.MILLISECONDS.toMicros(INTERVAL_MILLIS));
        }
        configuration.delete();
        Await.until("the running policy is back at its default", () -> policy.sampleIntervalMicros() != 777);
        nextEpochs();
        assertEquals("the policy's service is the one from before", before, policyReference());
        context.ungetService(before);
    }

    private void swapsPolicies() throws Exception {
        usePolicy("str");
        for (EpochRecord epoch : nextEpochs()) {
            assertTrue("no epoch ends because guests are idle: " + epoch, !epoch.reason().equals(Decision.END_IDLE.name())
                    && epoch.intervalMicros() >= TimeUnit.MILLISECONDS.toMicros(STR_INTERVAL_MILLIS));
        }
        Bundle str = bundle("org.plover.policy.str");
        str.stop();
        Await.until("the other policy has taken over", () -> vm.status().policy().equals("idle"));
        nextEpochs();
        str.start();
        Await.until("the configured policy is back", () -> vm.status().policy().equals("str"));
        nextEpochs();
        usePolicy("idle");
        nextEpochs();
    }

    private void usePolicy(String id) throws Exception {
        policy = id;
        hashers("xxh3", "java");
        Await.until("the policy in use is " + id, () -> vm.status().policy().equals(id));
    }

    // ---- the appliance in this container ----

    private ServiceReference<ProtectedVm> vmReference() throws InvalidSyntaxException {
        return context.getServiceReferences(ProtectedVm.class, "(" + ProtectedVm.NAME + "=" + VM + ")").stream().findFirst().orElse(null);
    }

    private ServiceReference<SyncPolicy> policyReference() throws InvalidSyntaxException {
        return context.getServiceReferences(SyncPolicy.class, "(" + SyncPolicy.ID + "=idle)").iterator().next();
    }

    private ServiceReference<PageHasherProvider> hasherReference(String id) throws InvalidSyntaxException {
        return context.getServiceReferences(PageHasherProvider.class, "(hasher.id=" + id + ")").iterator().next();
    }

    private Bundle bundle(String symbolicName) {
        Bundle found = Arrays.stream(context.getBundles()).filter(bundle -> symbolicName.equals(bundle.getSymbolicName())).findFirst().orElse(null);
        assertNotNull("there is a bundle " + symbolicName, found);
        return found;
    }

    private void hashers(String... inOrderOfPreference) throws IOException {
        Hashtable<String, Object> properties = new Hashtable<>(Map.of(
                "self", "a",
                "members", members().toArray(String[]::new),
                "kernel", guestFile("vmlinuz"),
                "initrd", guestFile("initrd"),
                "kernelArguments", kernelArguments(),
                "memoryMiB", MEMORY_MIB,
                "nics", new String[] {nic(TAP)},
                "policy", policy,
                "hashers", inOrderOfPreference));
        vmConfiguration.update(properties);
    }

    // ---- the members outside ----

    /** Makes a member's key; how others pin it. */
    private static String pin(Path launcher, String member, Path data) throws Exception {
        Command.Result made = Command.run(launcher.getParent(), launcher.toString(), "init", "--data", data.toString());
        assertEquals(made.output(), 0, made.exitCode());
        Command.Result pin = Command.run(launcher.getParent(), launcher.toString(), "identity", "--name", member, "--data", data.toString());
        assertEquals(pin.output(), 0, pin.exitCode());
        return pin.output().strip();
    }

    /** A folder with the configuration of another member. */
    private Path configured(String name) throws IOException {
        Path folder = home.resolve(name);
        Path config = Files.createDirectories(folder.resolve("config"));
        String list = String.join(",", members().stream().map(member -> '"' + member.replace("=", "\\=") + '"').toList());
        Files.writeString(config.resolve("org.plover.vm~" + VM + ".config"), "self=\"" + name + "\"\n"
                + "members=[" + list + "]\n"
                + "kernel=\"" + guestFile("vmlinuz") + "\"\n"
                + "initrd=\"" + guestFile("initrd") + "\"\n"
                + "kernelArguments=\"" + kernelArguments().replace("=", "\\=") + "\"\n"
                + "memoryMiB=I\"" + MEMORY_MIB + "\"\n"
                + "nics=[\"" + nic("plv-swap-" + name) + "\"]\n");
        Files.writeString(config.resolve("org.plover.machine.qemu.config"),
                "ramDirectory=\"" + Files.createDirectory(ram.resolve(name)) + "\"\n");
        return folder;
    }

    private static List<String> members() {
        return List.of("a=replica@127.0.0.1:7701", "b=replica@127.0.0.1:7702", "w=witness@127.0.0.1:7703");
    }

    private static String nic(String tap) {
        return "52:54:00:50:4c:02@/" + tap;
    }

    private static String kernelArguments() {
        return "console=ttyS0 quiet panic=-1 ip=" + GUEST_ADDRESS + "::" + CLIENT_ADDRESS + ":255.255.255.0::eth0:off";
    }

    private static String guestFile(String name) throws IOException {
        return Path.of(System.getProperty("plover.it.guest"), name).toRealPath().toString();
    }

    /** Network interfaces of this process's namespace. */
    private static List<String> interfaces() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/net/dev")).stream().filter(line -> line.contains(":"))
                .map(line -> line.substring(0, line.indexOf(':')).strip()).toList();
    }
}
