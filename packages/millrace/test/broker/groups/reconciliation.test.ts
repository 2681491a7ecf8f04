import { describe, expect, test } from 'vitest'
import type { Partitions } from '../../../src/broker/groups/assignors.ts'
import {
  type Current,
  type MemberState,
  type Reconciliation,
  reconcile,
} from '../../../src/broker/groups/reconciliation.ts'

const T = 'topic'
const set = (...partitions: number[]): Partitions =>
  partitions.length === 0 ? new Map() : new Map([[T, new Set(partitions)]])

function current(state: MemberState, assigned: Partitions, revoking: Partitions = set(), epoch = 4): Current {
  return { state, epoch, previousEpoch: 3, assigned, revoking }
}

interface Row {
  name: string
  from: Current
  step: Partial<Reconciliation>
  to: { state: MemberState; epoch: number; assigned: Partitions; revoking: Partitions }
}

const rows: Row[] = [
  {
    name: 'Stable stays as it is while the target is the same',
    from: current('Stable', set(0, 1)),
    step: { target: set(0, 1), targetEpoch: 4 },
    to: { state: 'Stable', epoch: 4, assigned: set(0, 1), revoking: set() },
  },
  {
    name: 'Stable gets what is free at once, in the new epoch',
    from: current('Stable', set(0)),
    step: { target: set(0, 1) },
    to: { state: 'Stable', epoch: 5, assigned: set(0, 1), revoking: set() },
  },
  {
    name: 'Stable gives up first, in the old epoch, and gets nothing until then',
    from: current('Stable', set(0, 1)),
    step: { target: set(1, 2) },
    to: { state: 'Unrevoked', epoch: 4, assigned: set(1), revoking: set(0) },
  },
  {
    name: 'Stable that does not hold what it has to give up advances at once',
    from: current('Stable', set(0, 1)),
    step: { target: set(1, 2), owned: set(1) },
    to: { state: 'Stable', epoch: 5, assigned: set(1, 2), revoking: set() },
  },
  {
    name: 'Stable waits for what another member holds',
    from: current('Stable', set(0)),
    step: { target: set(0, 1, 2), isFree: (_, partition) => partition !== 2 },
    to: { state: 'Unreleased', epoch: 5, assigned: set(0, 1), revoking: set() },
  },
  {
    name: 'Unrevoked stays as it is while the member says nothing',
    from: current('Unrevoked', set(1), set(0)),
    step: { target: set(1, 2) },
    to: { state: 'Unrevoked', epoch: 4, assigned: set(1), revoking: set(0) },
  },
  {
    name: 'Unrevoked stays as it is while the member still holds a partition',
    from: current('Unrevoked', set(1), set(0)),
    step: { target: set(1, 2), owned: set(0, 1) },
    to: { state: 'Unrevoked', epoch: 4, assigned: set(1), revoking: set(0) },
  },
  {
    name: 'Unrevoked advances when the member has given everything up',
    from: current('Unrevoked', set(1), set(0)),
    step: { target: set(1, 2), owned: set(1) },
    to: { state: 'Stable', epoch: 5, assigned: set(1, 2), revoking: set() },
  },
  {
    name: 'Unreleased stays as it is while another member holds on',
    from: current('Unreleased', set(0)),
    step: { target: set(0, 1), targetEpoch: 4, isFree: () => false },
    to: { state: 'Unreleased', epoch: 4, assigned: set(0), revoking: set() },
  },
  {
    name: 'Unreleased gets what has become free',
    from: current('Unreleased', set(0)),
    step: { target: set(0, 1), targetEpoch: 4 },
    to: { state: 'Stable', epoch: 4, assigned: set(0, 1), revoking: set() },
  },
  {
    name: 'Unreleased gives up when the target has changed meanwhile',
    from: current('Unreleased', set(0)),
    step: { target: set(1) },
    to: { state: 'Unrevoked', epoch: 4, assigned: set(), revoking: set(0) },
  },
]

describe('a member', () => {
  test.each(rows)('$name', ({ from, step, to }) => {
    const target = { target: set(), targetEpoch: 5, owned: undefined, isFree: () => true, ...step }
    expect(reconcile(from, target)).toMatchObject(to)
  })
})
