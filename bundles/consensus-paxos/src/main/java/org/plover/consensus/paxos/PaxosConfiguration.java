package org.plover.consensus.paxos;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Tuning of the agreement core. Every value takes effect at once, also for groups that run. */
@ObjectClassDefinition(name = "Plover consensus: Paxos", description = "Agreement on the input log, views and the in-sync set."
        + " Every value takes effect at once, also for running VMs; set the same on all members.")
@interface PaxosConfiguration {
    @AttributeDefinition(name = "Heartbeat (ms)", min = "1",
            description = "Longest silence of a leader towards a follower, in milliseconds; 1 and up.")
    int heartbeatMillis() default 20;

    @AttributeDefinition(name = "Election timeout, shortest (ms)", min = "3",
            description = "Silence of a member, in milliseconds, after which it counts as gone as long as it has always been heard"
                    + " regularly; at least three heartbeats. A replica then asks to take over from its leader, a leader gives up"
                    + " its backup. Every gap that was longer than half of it makes the silence that is borne longer.")
    int electionTimeoutMillisMin() default 150;

    @AttributeDefinition(name = "Election timeout, longest (ms)", min = "3",
            description = "Silence of a member, in milliseconds, after which it counts as gone however irregularly it has been heard;"
                    + " at least electionTimeoutMillisMin. Equal to it: a fixed timeout.")
    int electionTimeoutMillisMax() default 1000;

    @AttributeDefinition(name = "Window (entries)", min = "1",
            description = "Most entries proposed and not yet committed; 1 and up. Beyond it, input waits.")
    int windowEntriesMax() default 65536;

    @AttributeDefinition(name = "Window (bytes)", min = "65536",
            description = "Most bytes of entries proposed and not yet committed; 65536 and up. Beyond it, input waits.")
    long windowBytesMax() default 16777216;

    @AttributeDefinition(name = "Batch (bytes)", min = "1024", max = "1048576",
            description = "Most bytes of entries in one message, 1024 to 1048576; a larger single entry goes alone.")
    int batchBytesMax() default 262144;

    @AttributeDefinition(name = "Peer window (bytes)", min = "65536",
            description = "Most bytes of entries sent to one member and not yet acknowledged by it; 65536 and up.")
    long peerWindowBytesMax() default 8388608;

    @AttributeDefinition(name = "Log (bytes)", min = "65536", max = "536870912",
            description = "Most bytes of entries kept since the last committed epoch, at least windowBytesMax, up to 536870912."
                    + " Beyond it, input waits for the next epoch.")
    long logBytesMax() default 67108864;
}
