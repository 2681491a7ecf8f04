import { describe, expect, test } from 'vitest'
import {
  PARTITION_EVENTS,
  PARTITION_STATES,
  PARTITION_TRANSITIONS,
  type PartitionEvent,
  type PartitionState,
} from '../../../../src/kafka/consumer/partitions/partition-states.ts'

/** What is allowed; everything that is not named here is refused. */
const ALLOWED: Readonly<Record<PartitionState, Partial<Record<PartitionEvent, PartitionState>>>> = {
  assigned: { positioned: 'reading', rewound: 'assigned', revoked: 'released', lost: 'lost' },
  reading: { ended: 'atEnd', moved: 'reading', rewound: 'assigned', revoked: 'released', lost: 'lost' },
  atEnd: { ended: 'atEnd', rewound: 'assigned', revoked: 'released', lost: 'lost' },
  released: {
    positioned: 'released',
    ended: 'released',
    moved: 'released',
    rewound: 'released',
    revoked: 'released',
    lost: 'lost',
  },
  lost: { positioned: 'lost', ended: 'lost', moved: 'lost', rewound: 'lost', revoked: 'lost', lost: 'lost' },
}

const cells = PARTITION_STATES.flatMap((state) =>
  PARTITION_EVENTS.map((event) => ({ state, event, next: ALLOWED[state][event] ?? 'refused' })),
)

describe('states of a consumed partition', () => {
  test.each(cells)('$state, $event: $next', ({ state, event, next }) => {
    expect(PARTITION_TRANSITIONS[state][event]).toBe(next)
  })

  test('a partition that has gone is never read again (I3)', () => {
    for (const state of ['released', 'lost'] as const)
      for (const event of PARTITION_EVENTS) expect(['released', 'lost']).toContain(PARTITION_TRANSITIONS[state][event])
  })

  test('only a partition that was positioned comes to its end', () => {
    for (const state of PARTITION_STATES) {
      const events = PARTITION_EVENTS.filter((event) => PARTITION_TRANSITIONS[state][event] === 'atEnd')
      expect(events).toEqual(state === 'reading' || state === 'atEnd' ? ['ended'] : [])
    }
  })
})
