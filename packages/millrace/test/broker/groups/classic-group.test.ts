import { beforeEach, describe, expect, test } from 'vitest'
import { ClassicGroup } from '../../../src/broker/groups/classic-group.ts'
import type { Joined, JoinRequest, Synced } from '../../../src/broker/groups/member.ts'
import { ANSWERS, type Answers, GROUP_STATES, type GroupState } from '../../../src/broker/groups/states.ts'
import { ERROR } from '../../../src/protocol/error-codes.ts'

/** Time that passes when the test says so. */
class ManualTime {
  now = 0
  #timers: { at: number; callback: () => void }[] = []

  after = (milliseconds: number, callback: () => void): (() => void) => {
    const timer = { at: this.now + milliseconds, callback }
    this.#timers.push(timer)
    return () => (this.#timers = this.#timers.filter((other) => other !== timer))
  }

  pass(milliseconds: number): void {
    const end = this.now + milliseconds
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)
      if (next === undefined) break
      this.#timers = this.#timers.filter((other) => other !== next)
      this.now = next.at
      next.callback()
    }
    this.now = end
  }

  get running(): number {
    return this.#timers.length
  }
}

let time: ManualTime
let group: ClassicGroup

beforeEach(() => {
  time = new ManualTime()
  group = new ClassicGroup('g', time.after)
})

const protocol = (name: string, metadata = '') => ({ name, metadata: Buffer.from(metadata) })

function request(options: Partial<JoinRequest> = {}): JoinRequest {
  return {
    memberId: '',
    instanceId: null,
    clientId: 'c',
    clientHost: '/127.0.0.1',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    protocolType: 'consumer',
    protocols: [protocol('range')],
    requiresMemberId: false,
    canSkipAssignment: true,
    ...options,
  }
}

const join = async (options: Partial<JoinRequest> = {}): Promise<Joined> => group.join(request(options))

const claim = ({ memberId, generationId }: Joined, instanceId: string | null = null) => ({
  memberId,
  generationId,
  instanceId,
})

async function sync(
  joined: Joined,
  assignments: Record<string, string> = {},
  instanceId: string | null = null,
): Promise<Synced> {
  const byMember = new Map(Object.entries(assignments).map(([id, text]) => [id, Buffer.from(text)]))
  return group.sync(claim(joined, instanceId), null, null, byMember)
}

/** Two members that have joined one after the other, the first of which leads. */
async function twoMembers(): Promise<[Joined, Joined]> {
  const alone = await join()
  const second = join()
  const first = await join({ memberId: alone.memberId })
  return [first, await second]
}

describe('the states of a group', () => {
  /** Brings a group into a state, with a member that is the leader of the current generation as far as there is one. */
  const REACH: { readonly [state in GroupState]: () => Promise<Joined> } = {
    async Empty() {
      const joined = await join()
      await sync(joined)
      group.leave({ memberId: joined.memberId, instanceId: null })
      return joined
    },
    async PreparingRebalance() {
      const joined = await join()
      await sync(joined)
      void join()
      return joined
    },
    CompletingRebalance: async () => join(),
    async Stable() {
      const joined = await join()
      await sync(joined)
      return joined
    },
    async Dead() {
      const joined = await join()
      group.kill()
      return joined
    },
  }

  const CHECKS: { readonly [request in keyof Answers]: (joined: Joined) => Promise<unknown> } = {
    heartbeat: async (joined) => group.heartbeat(claim(joined)),
    commit: async (joined) => group.admitCommit(claim(joined)),
    simpleCommit: async () => group.admitCommit({ memberId: '', instanceId: null, generationId: -1 }),
    async sync(joined) {
      const synced = group.sync(claim(joined), null, null, new Map([[joined.memberId, Buffer.from('a')]]))
      const waits = synced instanceof Promise
      const { errorCode } = await synced
      if (errorCode !== 0) return errorCode
      return waits ? 'wait' : 'assignment'
    },
    async rejoin(joined) {
      // Of a leader that asks for nothing new.
      const rejoined = group.join(request({ memberId: joined.memberId }))
      if (rejoined instanceof Promise) return 'rebalance'
      return rejoined.errorCode === 0 ? 'current-if-unchanged' : rejoined.errorCode
    },
  }

  const cells = GROUP_STATES.flatMap((state) =>
    (Object.keys(CHECKS) as (keyof Answers)[]).map((asked) => ({ state, asked })),
  )

  test.each(cells)('$state: $asked', async ({ state, asked }) => {
    const joined = await REACH[state]()
    expect(group.state).toBe(state)
    const expected = ANSWERS[state][asked]
    // For the leader, rejoining a stable group is a rebalance; followers have a test of their own.
    expect(await CHECKS[asked](joined)).toBe(expected === 'current-if-unchanged-follower' ? 'rebalance' : expected)
  })
})

describe('joining', () => {
  test('a new member gets an id first, when its version asks for it', async () => {
    const first = await join({ requiresMemberId: true })
    expect(first).toMatchObject({ errorCode: ERROR.MEMBER_ID_REQUIRED, memberId: expect.stringMatching(/^c-/) })
    expect(group.members.size).toBe(0)
    expect(await join({ memberId: first.memberId, requiresMemberId: true })).toMatchObject({
      errorCode: 0,
      memberId: first.memberId,
      generationId: 1,
    })
  })

  test('an id that is not used within the session timeout is forgotten', async () => {
    const { memberId } = await join({ requiresMemberId: true })
    time.pass(10_000)
    expect(await join({ memberId })).toMatchObject({ errorCode: ERROR.UNKNOWN_MEMBER_ID })
  })

  test('all members get the same generation, and the leader all of them', async () => {
    const [first, second] = await twoMembers()
    expect(first).toMatchObject({
      generationId: 2,
      leader: first.memberId,
      protocolName: 'range',
      protocolType: 'consumer',
    })
    expect(second).toMatchObject({ generationId: 2, leader: first.memberId, members: [] })
    expect(first.members.map(({ memberId }) => memberId)).toEqual([first.memberId, second.memberId])
  })

  test('a protocol that all have is chosen by most votes, and a member that has none of them is refused', async () => {
    const alone = await join({ protocols: [protocol('sticky'), protocol('range')] })
    const second = join({ protocols: [protocol('range'), protocol('sticky')] })
    const third = join({ protocols: [protocol('range')] })
    const first = await join({ memberId: alone.memberId, protocols: [protocol('sticky'), protocol('range')] })
    expect([first, await second, await third].map(({ protocolName }) => protocolName)).toEqual([
      'range',
      'range',
      'range',
    ])
    expect(await join({ protocols: [protocol('other')] })).toMatchObject({
      errorCode: ERROR.INCONSISTENT_GROUP_PROTOCOL,
    })
    expect(await join({ protocolType: 'connect' })).toMatchObject({ errorCode: ERROR.INCONSISTENT_GROUP_PROTOCOL })
  })

  test('a follower of a stable group that asks for nothing new gets the current generation', async () => {
    const [first, second] = await twoMembers()
    const follower = sync(second)
    await sync(first)
    await follower
    const again = group.join(request({ memberId: second.memberId }))
    expect(again).toMatchObject({ errorCode: 0, generationId: 2 })
    expect(
      group.join(request({ memberId: second.memberId, protocols: [protocol('range', 'more topics')] })),
    ).toBeInstanceOf(Promise)
    expect(group.state).toBe('PreparingRebalance')
  })

  test('members that do not join again in time are out', async () => {
    const first = await join({ sessionTimeoutMs: 100_000 })
    await sync(first)
    const second = join()
    time.pass(60_000)
    expect(await second).toMatchObject({ errorCode: 0, generationId: 2, leader: (await second).memberId })
    expect(group.heartbeat(claim(first))).toBe(ERROR.UNKNOWN_MEMBER_ID)
  })
})

describe('syncing', () => {
  test('every member gets what the leader decided, and those that it left out nothing', async () => {
    const [first, second] = await twoMembers()
    const follower = sync(second)
    expect(String((await sync(first, { [first.memberId]: 'p0', [second.memberId]: 'p1' })).assignment)).toBe('p0')
    expect(String((await follower).assignment)).toBe('p1')
    expect(group.state).toBe('Stable')
  })

  test('waits no longer when another rebalance begins', async () => {
    const [, second] = await twoMembers()
    const follower = sync(second)
    void join()
    expect(await follower).toMatchObject({ errorCode: ERROR.REBALANCE_IN_PROGRESS })
  })

  test('what was assigned before stays with a member until a leader assigns again, or cannot do so any more', async () => {
    const joined = await join()
    await sync(joined, { [joined.memberId]: 'p0' })
    const assigned = (): string => String(group.members.get(joined.memberId)!.assignment)
    await join({ memberId: joined.memberId, protocols: [protocol('range', 'other')] })
    expect([group.state, assigned()]).toEqual(['CompletingRebalance', 'p0'])
    // The next rebalance begins before anybody has assigned.
    void join()
    expect([group.state, assigned()]).toEqual(['PreparingRebalance', ''])
  })

  test('with another protocol or generation is refused', async () => {
    const joined = await join()
    expect(await group.sync(claim(joined), 'consumer', 'sticky', new Map())).toMatchObject({
      errorCode: ERROR.INCONSISTENT_GROUP_PROTOCOL,
    })
    expect(await sync({ ...joined, generationId: 7 })).toMatchObject({ errorCode: ERROR.ILLEGAL_GENERATION })
  })

  test('members that never ask for their assignment are out after the rebalance timeout', async () => {
    const [first] = await twoMembers()
    for (let i = 0; i < 8; i++) {
      time.pass(7000)
      if (i === 0) void sync(first)
      group.heartbeat(claim(first))
    }
    time.pass(5000)
    expect([...group.members.keys()]).toEqual([first.memberId])
  })
})

describe('leaving', () => {
  test('begins a rebalance, which the others learn from their heartbeat', async () => {
    const [first, second] = await twoMembers()
    const follower = sync(second)
    await sync(first)
    await follower
    expect(group.leave({ memberId: first.memberId, instanceId: null })).toBe(0)
    expect(group.heartbeat(claim(second))).toBe(ERROR.REBALANCE_IN_PROGRESS)
    expect(await join({ memberId: second.memberId })).toMatchObject({ generationId: 3, leader: second.memberId })
  })

  test('happens automatically when no heartbeat comes within the session timeout', async () => {
    const joined = await join()
    await sync(joined)
    time.pass(9999)
    expect(group.heartbeat(claim(joined))).toBe(0)
    time.pass(9999)
    expect(group.state).toBe('Stable')
    time.pass(1)
    expect(group.state).toBe('Empty')
    expect(time.running).toBe(0)
  })

  test('does not happen while a member waits', async () => {
    const first = await join({ sessionTimeoutMs: 60_000 })
    await sync(first)
    const second = join()
    time.pass(50_000)
    await join({ memberId: first.memberId })
    expect(await second).toMatchObject({ errorCode: 0, generationId: 2 })
  })
})

describe('a static member', () => {
  const fixed = { instanceId: 'one' }

  test('that starts again takes its place without a rebalance, and the one before is fenced', async () => {
    const before = await join(fixed)
    await sync(before, { [before.memberId]: 'p0' }, 'one')
    const after = await join(fixed)
    expect(after).toMatchObject({
      errorCode: 0,
      generationId: before.generationId,
      skipAssignment: true,
      leader: after.memberId,
    })
    expect(after.memberId).not.toBe(before.memberId)
    expect(String((await sync(after, {}, 'one')).assignment)).toBe('p0')
    expect(group.heartbeat(claim(before, 'one'))).toBe(ERROR.FENCED_INSTANCE_ID)
    expect(group.admitCommit(claim(before, 'one'))).toBe(ERROR.FENCED_INSTANCE_ID)
  })

  test('learns that its predecessor leads, when its version would assign again', async () => {
    const before = await join(fixed)
    await sync(before, {}, 'one')
    expect(await join({ ...fixed, canSkipAssignment: false })).toMatchObject({ leader: before.memberId, members: [] })
  })

  test('that waits is fenced by the one that comes after it', async () => {
    const first = await join()
    await sync(first)
    const waiting = join(fixed)
    const newer = join(fixed)
    expect(await waiting).toMatchObject({ errorCode: ERROR.FENCED_INSTANCE_ID })
    await join({ memberId: first.memberId })
    expect(await newer).toMatchObject({ errorCode: 0, generationId: 2 })
  })

  test('is removed by its instance id alone', async () => {
    await join(fixed)
    expect(group.leave({ memberId: '', instanceId: 'two' })).toBe(ERROR.UNKNOWN_MEMBER_ID)
    expect(group.leave({ memberId: '', instanceId: 'one' })).toBe(0)
    expect(group.state).toBe('Empty')
  })

  test('stays when it does not join again in time, as long as its session lasts', async () => {
    const before = await join({ ...fixed, sessionTimeoutMs: 300_000 })
    await sync(before, {}, 'one')
    const second = join({ sessionTimeoutMs: 300_000 })
    time.pass(60_000)
    await second
    expect(group.members.size).toBe(2)
    time.pass(250_000)
    expect(group.members.has(before.memberId)).toBe(false)
  })
})

test('a coordinator that moves answers what waits', async () => {
  const [first, second] = await twoMembers()
  const follower = sync(second)
  group.unload(ERROR.NOT_COORDINATOR)
  expect(await follower).toMatchObject({ errorCode: ERROR.NOT_COORDINATOR })
  expect(group.heartbeat(claim(first))).toBe(0)
})
