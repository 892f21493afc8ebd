// Mistakes that can be planted into the simulated daemon and its adapters, to see that the
// invariants find them. The core itself is never changed: each is a wrong wrapper around it.
#pragma once

#define BUG_TABLE(BUG)                                                                         \
	BUG(NONE, "none", "the real thing")                                                        \
	BUG(NO_COMPARE, "no-compare", "the ref update does not compare")                           \
	BUG(OTHER_TREE, "other-tree", "a verdict is reused for another tree")                      \
	BUG(EARLY_ACK, "early-ack", "a push is acknowledged before the append")                    \
	BUG(LANDS_AGAIN, "lands-again", "recovery lands what is in trunk once more")               \
	BUG(CANCEL_FREES, "cancel-frees", "asking a run to stop frees its slot")                   \
	BUG(LOST_REVISION, "lost-revision", "a new revision is acknowledged and the old one kept") \
	BUG(FORGETS_LANDING, "forgets-landing", "recovery forgets landings under way")             \
	BUG(OLD_HEAD, "old-head", "a new push does not dequeue the old head")                      \
	BUG(UNBLOCKED, "unblocked", "a rolled back release goes out again")                        \
	BUG(REPLAYS_TWICE, "replays-twice", "replay applies an event twice")                       \
	BUG(LOST_TAIL, "lost-tail", "the append is not durable: a crash loses the last turn")      \
	BUG(RED_LANDS, "red-lands", "a failed job counts as passed")

enum bug {
#define BUG(NAME, name, text) BUG_##NAME,
	BUG_TABLE(BUG)
#undef BUG
		BUG_COUNT
};
