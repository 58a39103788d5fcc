package org.plover.disk.nbd;

import java.util.ArrayList;
import java.util.List;

/** A group of records in the journal, not yet visible to readers; it pins the segments that it lies in. */
final class Appended {
    record Part(JournalSegment segment, long[] ids, int contentAt) {
    }

    final long groupFirst;
    final List<Part> parts = new ArrayList<>();

    Appended(long groupFirst) {
        this.groupFirst = groupFirst;
    }

    /** Lets readers find it; under {@link Content}'s write lock, when nothing newer is in the journal. */
    void publish() {
        for (Part part : parts) {
            int at = part.contentAt;
            for (long id : part.ids) {
                if ((id & RecordHeader.ZERO) != 0) {
                    part.segment.index.put(id & ~RecordHeader.ZERO, Layer.ZERO);
                } else {
                    part.segment.index.put(id, at++);
                }
            }
        }
    }
}
