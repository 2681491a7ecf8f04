/**
 * What a consumer does with a partition, and what each event means in each of these states.
 *
 * | state | means |
 * |---|---|
 * | assigned | it is ours, and the place to read from is being found |
 * | reading | it is read from a known position |
 * | atEnd | everything before the end of a bounded run was fetched |
 * | released | it was given back: what was read from it may still be committed |
 * | lost | another member may own it: nothing read from it counts (I3) |
 */

export const PARTITION_STATES = ['assigned', 'reading', 'atEnd', 'released', 'lost'] as const
export type PartitionState = (typeof PARTITION_STATES)[number]

/**
 * `positioned`: the place to read from is known; `ended`: nothing before the end of a bounded run is left to fetch; `moved`: reading goes on at
 * another place, as the position is not in the log; `rewound`: reading goes back to what was committed; `revoked`: the group
 * wants it back; `lost`: the group has gone on without this member.
 */
export const PARTITION_EVENTS = ['positioned', 'ended', 'moved', 'rewound', 'revoked', 'lost'] as const
export type PartitionEvent = (typeof PARTITION_EVENTS)[number]

/** What cannot happen in a state. */
const REFUSED = 'refused'

export const PARTITION_TRANSITIONS: Readonly<
  Record<PartitionState, Readonly<Record<PartitionEvent, PartitionState | typeof REFUSED>>>
> = {
  assigned: {
    positioned: 'reading',
    ended: REFUSED,
    moved: REFUSED,
    rewound: 'assigned',
    revoked: 'released',
    lost: 'lost',
  },
  reading: {
    positioned: REFUSED,
    ended: 'atEnd',
    moved: 'reading',
    rewound: 'assigned',
    revoked: 'released',
    lost: 'lost',
  },
  atEnd: {
    positioned: REFUSED,
    ended: 'atEnd',
    moved: REFUSED,
    rewound: 'assigned',
    revoked: 'released',
    lost: 'lost',
  },
  released: {
    positioned: 'released',
    ended: 'released',
    moved: 'released',
    rewound: 'released',
    revoked: 'released',
    lost: 'lost',
  },
  lost: {
    positioned: 'lost',
    ended: 'lost',
    moved: 'lost',
    rewound: 'lost',
    revoked: 'lost',
    lost: 'lost',
  },
}
