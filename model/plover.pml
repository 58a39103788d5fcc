/*
 * Plover's protocol: view change, in-sync set, epoch commit, join, cold start.
 *
 * What is modelled                     Where it is in the code
 *   Member (a replica)                 org.plover.replication.core.ReplicaCore, PrimaryEpochs, BackupEpochs, Join, Learner
 *                                      and org.plover.consensus.paxos.PaxosCore, Election, Leadership, Following
 *   Witness                            the same consensus classes in a member of kind WITNESS
 *   Faults                             crash with loss of everything but the ballot, restart, links that break
 *   view, acc (durable)                org.plover.consensus.paxos.Ballot
 *   PREPARE/PROMISE                    Election.prepare, onPrepare, onPromise, isFitBy, isGuestLost
 *   SET/ACK                            Leadership.proposeMembership, Following.onAppend (a MEMBERSHIP entry of the log)
 *   EPOCH/STAGED                       SYNC entry, STATE and PAGES of an epoch, Wire.STAGED
 *   EPOCH with join/APPLIED            Join, Learner, Wire.JOIN, Wire.APPLIED
 *
 * The input log is left out: what it orders only decides how much two guests differ, not what may be released. A guest is
 * what it has emitted: a set of outputs (known). What clients have seen is a set as well (released). The rules are
 * assertions: whoever serves knows all that was released (S3, output commit; S4), and in one view only one member
 * releases (S1).
 *
 * -DBREAK_x takes one guard out; README.md says which rule then fails.
 */
#ifndef VIEWS
#define VIEWS 4		/* views that may begin */
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef OUTPUTS
#define OUTPUTS 2	/* outputs that guests may emit */
#endif
#ifndef TRANSFERS
#define TRANSFERS 3	/* epochs ended, joins included */
#endif

#define A 0
#define B 1
#define W 2
#define BIT(m) (1 << (m))
#define LEADER_OF(v) (1 - ((v) % 2))	/* odd views are A's */

mtype = { PREPARE, PROMISE, SET, ACK, EPOCH, STAGED, APPLIED };
mtype = { NONE, CANDIDATE, TAKING, SOLO, JOINING, PROTECTED };

/* One queue for each direction: ordered until the link breaks. Fields: kind, view, x, y, z. */
chan q[9] = [2] of { mtype, byte, byte, byte, byte };
#define TO(from, to) q[(from) * 3 + (to)]

byte view[3];		/* durable: highest view promised or entered */
byte accView[3];	/* durable: newest in-sync set accepted, ordered by view and version */
byte accVersion[3];
byte accSet[3];
bool up[3] = { true, true, true };

bool guest[2];		/* holds a state from which it may go on */
byte known[2];		/* what that state has emitted */
byte held[2];		/* at the gate */
mtype role[2] = NONE;
byte promised[2];	/* as candidate: who has answered, and who of them holds a guest */
byte holding[2];
byte heardView[2], heardVersion[2], heardSet[2];
byte version[2];	/* as leader: of the last set proposed */
byte proposed[2];	/* set under way, 0 for none */
byte session[2];	/* number of the transfer under way */
bool sending[2];
byte epochHeld[2];	/* what the epoch under way has at the gate */
bool wantsJoin[2];	/* the transfer under way brings the peer in */
bool applied[2];	/* ... and the peer has taken it over */
bool applying[2];	/* acknowledged, not in place yet */
byte staged[2];

byte released;
byte emitted;
byte transfers;
byte crashes;
byte releaser[VIEWS + 2] = 9;

#define serves(m) (role[m] == SOLO || role[m] == JOINING || role[m] == PROTECTED)
#define ROOM(c) (len(c) < 2)
#define SOME(c) (len(c) > 0)

inline newer(m) {	/* what arrived is newer than what member m has heard */
	if
	:: y1 > heardView[m] || (y1 == heardView[m] && (x1 >> 2) > heardVersion[m]) ->
		heardView[m] = y1; heardVersion[m] = x1 >> 2; heardSet[m] = x1 & 3
	:: else
	fi
}

inline stepDown(m) {	/* ReplicaCore.leaveLead; gate in STANDBY keeps what it has */
	if
	:: role[m] != NONE ->
		role[m] = NONE; proposed[m] = 0; sending[m] = false; wantsJoin[m] = false; applied[m] = false;
		promised[m] = 0; holding[m] = 0; epochHeld[m] = 0
	:: else
	fi
}

inline mayServe(m) {
	assert(guest[m]);
	assert(!applying[m]);					/* S4 */
	assert((released & ~known[m]) == 0)			/* S3: output commit */
}

inline release(m, what) {
	if
	:: (what) != 0 ->
		assert(releaser[view[m]] == 9 || releaser[view[m]] == m);	/* S1 */
		releaser[view[m]] = m;
		released = released | (what);
		held[m] = held[m] & ~(what);
		/* whoever has been elected since knows it too, even if this member has not heard of that */
		assert(!serves(1 - m) || view[1 - m] < view[m] || (released & ~known[1 - m]) == 0)
	:: else
	fi
}

/* What finds no room or nobody is lost: whoever sent it tries again, or the view changes. */
#define send(src, dst, kind, fv, fx, fy, fz) \
	if :: up[dst] && ROOM(TO(src, dst)) -> TO(src, dst)!kind, fv, fx, fy, fz :: else -> skip fi

inline propose(m, newSet) {	/* durable here first */
	version[m]++;
	proposed[m] = newSet;
	accView[m] = view[m]; accVersion[m] = version[m]; accSet[m] = newSet;
	send(m, 1 - m, SET, view[m], version[m], newSet, 0);
	send(m, W, SET, view[m], version[m], newSet, 0)
#ifdef BREAK_MAJORITY
	; agreed(m)
#endif
}

inline agreed(m) {	/* ReplicaCore.onMembership */
	if
	:: proposed[m] == 3 ->
		role[m] = PROTECTED; proposed[m] = 0; wantsJoin[m] = false; sending[m] = false
	:: proposed[m] == BIT(m) ->
		if
		:: role[m] == TAKING && applying[m] -> skip	/* serveIfAgreed: not before it is in place */
		:: else ->
			proposed[m] = 0; sending[m] = false;
			role[m] = SOLO;
			mayServe(m);
			release(m, held[m])
		fi
	:: else
	fi
}

inline hear(m) {	/* a message of a higher view: this member takes part in that one from now on */
	if
	:: v1 > view[m] -> view[m] = v1; if :: m < 2 -> stepDown(m) :: else -> skip fi
	:: else
	fi
}

inline boot(m) {	/* ReplicaCore.onColdStart: a new history */
	assert(!(up[1 - m] && guest[1 - m] && (accSet[m] & BIT(1 - m)) && (heardSet[m] & BIT(1 - m))));
	guest[m] = true; known[m] = 0; held[m] = 0; released = 0; applying[m] = false
}

#ifdef BREAK_IN_SYNC
#define IN_SYNC(m) true
#else
#define IN_SYNC(m) ((heardSet[m] & BIT(m)) != 0)
#endif
#ifdef BREAK_SESSION
#define OF_SESSION(m) true
#else
#define OF_SESSION(m) (x1 == session[m])
#endif

inline elected(m) {	/* Election.leadIfReady */
	if
	:: role[m] == CANDIDATE && (promised[m] == 3 || promised[m] == 5 || promised[m] == 6 || promised[m] == 7) && IN_SYNC(m) ->
		if
		:: guest[m] -> role[m] = TAKING
#ifndef BREAK_COLD
		:: !guest[m] && (heardSet[m] & ~promised[m]) == 0 && (heardSet[m] & holding[m]) == 0 -> boot(m); role[m] = TAKING
#else
		:: !guest[m] -> boot(m); role[m] = TAKING
#endif
		:: else
		fi;
		if
		:: role[m] == TAKING ->
			version[m] = 0;
#ifndef BREAK_ALONE
			propose(m, BIT(m))
#else
			if
			:: !applying[m] -> role[m] = SOLO; mayServe(m); release(m, held[m])
			:: else -> propose(m, BIT(m))
			fi
#endif
		:: else
		fi
	:: else
	fi
}

inline receive(from, m) {
	TO(from, m)?k1, v1, x1, y1, z1;
	if
	:: k1 == PREPARE ->
		if
		:: v1 > view[m] ->
			hear(m);
			send(m, from, PROMISE, v1, (accVersion[m] << 2) | accSet[m], accView[m], (m < 2 -> guest[m] : 0))
		:: else
		fi
	:: k1 == PROMISE ->
		if
		:: m < 2 && v1 == view[m] && role[m] == CANDIDATE ->
			promised[m] = promised[m] | BIT(from);
			holding[m] = holding[m] | (z1 << from);
			newer(m);
			elected(m)
		:: else -> hear(m)
		fi
	:: k1 == SET ->
		if
		:: v1 >= view[m] ->
			hear(m);
			if
			:: v1 > accView[m] || (v1 == accView[m] && x1 > accVersion[m]) ->
				accView[m] = v1; accVersion[m] = x1; accSet[m] = y1
			:: else
			fi;
			if	/* not in sync: the guest counts for nothing; ReplicaCore.becomeLearner */
			:: m < 2 && (accSet[m] & BIT(m)) == 0 -> guest[m] = false; applying[m] = false; held[m] = 0
			:: else
			fi;
			send(m, from, ACK, v1, x1, 0, 0)
		:: else
		fi
	:: k1 == ACK ->
		if
		:: m < 2 && v1 == view[m] && proposed[m] != 0 && x1 == version[m] -> agreed(m)
		:: else -> hear(m)
		fi
	:: k1 == EPOCH ->	/* x: session, y: state, z: join */
		if
		:: m < 2 && v1 == view[m] && LEADER_OF(v1) == from ->
			if
			:: z1 && !guest[m] ->
				known[m] = y1; guest[m] = true; held[m] = 0; applying[m] = false;
				send(m, from, APPLIED, v1, x1, 0, 0)
			:: !z1 && guest[m] && !applying[m] && (accSet[m] & BIT(m)) ->
				staged[m] = y1; applying[m] = true;	/* acknowledged: from here there is no way back */
				send(m, from, STAGED, v1, x1, 0, 0)
			:: else
			fi
		:: else -> hear(m)
		fi
	:: k1 == STAGED ->
		if
		:: m < 2 && role[m] == PROTECTED && sending[m] && OF_SESSION(m) && v1 == view[m] ->
			release(m, epochHeld[m]); sending[m] = false; epochHeld[m] = 0
		:: else -> hear(m)
		fi
	:: k1 == APPLIED ->
		if
		:: m < 2 && role[m] == JOINING && wantsJoin[m] && v1 == view[m] && OF_SESSION(m) -> applied[m] = true
		:: else -> hear(m)
		fi
	fi;
	k1 = PREPARE; v1 = 0; x1 = 0; y1 = 0; z1 = 0
}

inline transfer(m, join) {
	transfers++; session[m] = transfers; sending[m] = true; wantsJoin[m] = join; applied[m] = false; epochHeld[m] = held[m];
	send(m, 1 - m, EPOCH, view[m], session[m], known[m], join)
}

proctype Member(byte m) {
	mtype k1; byte v1, x1, y1, z1;
	k1 = PREPARE;
	do
	:: atomic { up[m] && SOME(TO(1 - m, m)) -> receive(1 - m, m) }
	:: atomic { up[m] && SOME(TO(W, m)) -> receive(W, m) }
	:: atomic {	/* stands for the next view of its own, with a guest or without */
		up[m] && view[m] < VIEWS && (role[m] == NONE || role[m] == CANDIDATE || role[m] == PROTECTED) && accView[m] > 0 && view[m] + 1 + (LEADER_OF(view[m] + 1) != m) <= VIEWS ->
		stepDown(m);
		view[m] = view[m] + 1 + (LEADER_OF(view[m] + 1) != m);
		role[m] = CANDIDATE;
		promised[m] = BIT(m); holding[m] = guest[m] << m;
		heardView[m] = accView[m]; heardVersion[m] = accVersion[m]; heardSet[m] = accSet[m];
		send(m, 1 - m, PREPARE, view[m], 0, 0, 0);
		send(m, W, PREPARE, view[m], 0, 0, 0)
	   }
	:: atomic {	/* the guest emits */
		up[m] && serves(m) && emitted < OUTPUTS ->
		known[m] = known[m] | BIT(emitted); held[m] = held[m] | BIT(emitted); emitted++;
		if
		:: role[m] == SOLO -> release(m, held[m])
#ifdef BREAK_JOIN_HOLDS
		:: role[m] == JOINING -> release(m, held[m])
#endif
#ifdef BREAK_STAGED
		:: role[m] == PROTECTED -> release(m, held[m])
#endif
		:: else
		fi
	   }
	:: atomic {	/* brings the peer in: from the capture on output is held */
		up[m] && role[m] == SOLO && proposed[m] == 0 && up[1 - m] && !guest[1 - m] && view[1 - m] == view[m] && transfers < TRANSFERS ->
		role[m] = JOINING; transfer(m, 1)
	   }
	:: atomic { up[m] && role[m] == JOINING && applied[m] && proposed[m] == 0 -> applied[m] = false; propose(m, 3) }
	:: atomic {	/* gives the join up, as long as it has not been proposed; Join.cancel */
		up[m] && role[m] == JOINING && proposed[m] == 0 && !applied[m] ->
		role[m] = SOLO; sending[m] = false; wantsJoin[m] = false; release(m, held[m])
	   }
	:: atomic {	/* ends an epoch */
		up[m] && role[m] == PROTECTED && proposed[m] == 0 && !sending[m] && held[m] != 0 && transfers < TRANSFERS -> transfer(m, 0)
	   }
	:: atomic {	/* drops the backup; also in place of a join that has been proposed */
		up[m] && (role[m] == PROTECTED || role[m] == JOINING) && proposed[m] != BIT(m) && (role[m] == PROTECTED || proposed[m] == 3) && version[m] < 3 ->
#ifdef BREAK_REMOVAL
		propose(m, BIT(m)); role[m] = SOLO; proposed[m] = 0; sending[m] = false; release(m, held[m])
#else
		propose(m, BIT(m))
#endif
	   }
	:: atomic {	/* puts what it has acknowledged in place */
		up[m] && applying[m] ->
		known[m] = staged[m]; applying[m] = false; held[m] = 0;
		if
		:: role[m] == TAKING && proposed[m] == 0 -> skip
		:: else
		fi
	   }
	:: atomic {	/* sends again what may have been lost with a link */
		up[m] && proposed[m] != 0 && (!SOME(TO(m, W)) || !SOME(TO(m, 1 - m))) ->
		if
		:: !SOME(TO(m, W)) -> send(m, W, SET, view[m], version[m], proposed[m], 0)
		:: !SOME(TO(m, 1 - m)) -> send(m, 1 - m, SET, view[m], version[m], proposed[m], 0)
		fi
	   }
	od
}

proctype Witness() {
	mtype k1; byte v1, x1, y1, z1;
	k1 = PREPARE;
	do
	:: atomic { up[W] && SOME(TO(A, W)) -> receive(A, W) }
	:: atomic { up[W] && SOME(TO(B, W)) -> receive(B, W) }
	od
}

inline drain(c) {
	do
	:: SOME(c) -> c?k1, v1, x1, y1, z1
	:: else -> break
	od;
	k1 = PREPARE; v1 = 0; x1 = 0; y1 = 0; z1 = 0
}

inline crash(m) {
	crashes++;
	up[m] = false;
	drain(q[m * 3]); drain(q[m * 3 + 1]); drain(q[m * 3 + 2]);
	drain(q[m]); drain(q[3 + m]); drain(q[6 + m]);
	if
	:: m < 2 ->
		stepDown(m);
#ifndef BREAK_RESTART
		guest[m] = false;
#endif
		known[m] = 0; held[m] = 0; applying[m] = false; staged[m] = 0; version[m] = 0; session[m] = 0;
		heardView[m] = 0; heardVersion[m] = 0; heardSet[m] = 0
	:: else
	fi;
#ifdef BREAK_DURABLE
	view[m] = 0;
#endif
#ifdef BREAK_DURABLE_SET
	accView[m] = 1; accVersion[m] = 1; accSet[m] = 1;
#endif
}

proctype Faults() {
	mtype k1; byte v1, x1, y1, z1; byte i;
	k1 = PREPARE;
	do
	:: atomic { crashes < CRASHES && up[A] -> crash(A) }
	:: atomic { crashes < CRASHES && up[B] -> crash(B) }
	:: atomic { crashes < CRASHES && up[W] -> crash(W) }
	:: atomic { !up[A] -> up[A] = true }
	:: atomic { !up[B] -> up[B] = true }
	:: atomic { !up[W] -> up[W] = true }
	:: atomic {	/* a link breaks: all that is under way in one direction is lost */
		select (i : 0 .. 8) -> if :: SOME(q[i]) -> drain(q[i]) :: else fi; i = 0
	   }
	od
}

init {
	/* The group has formed: view 1 is A's, alone in sync, and serves. */
	atomic {
		view[A] = 1; view[B] = 1; view[W] = 1;
		accView[A] = 1; accVersion[A] = 1; accSet[A] = 1;
		accView[B] = 1; accVersion[B] = 1; accSet[B] = 1;
		accView[W] = 1; accVersion[W] = 1; accSet[W] = 1;
		guest[A] = true; role[A] = SOLO; version[A] = 1;
		run Member(A); run Member(B); run Witness(); run Faults()
	}
}
