package org.plover.metrics;

/** A protected VM as its member here sees it, for JMX; see {@link org.plover.api.status.VmStatus} for what each attribute means. */
public interface ProtectedVmMBean {
    String getVm();

    String getMember();

    String getRole();

    boolean isProtectedNow();

    String getMessage();

    String getSlowed();

    String[] getNotes();

    long getView();

    String getPrimary();

    long getEpoch();

    String[] getMembersInSync();

    String[] getMembersConnected();

    int getHeldFrames();

    long getHeldBytes();

    long getOldestHeldMillis();

    long getInputBacklogBytes();

    double getSamePagesPercent();

    double getPauseMillisMedian();

    double getPauseMillis99th();

    double getIntervalMillisMedian();

    double getInputConsensusMicrosMedian();

    double getInputConsensusMicros99th();

    long getEpochsCommitted();

    long getEpochsVerified();

    long getPagesDiffering();

    int getSynchronisationPercent();

    String getHasher();

    String getPolicy();

    String getTransport();
}
