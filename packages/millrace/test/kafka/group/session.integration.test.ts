import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { MillraceError } from '../../../src/errors/index.ts'
import { GroupAdmin } from '../../../src/kafka/admin/groups.ts'
import { TopicAdmin } from '../../../src/kafka/admin/topics.ts'
import { Cluster } from '../../../src/kafka/cluster/cluster.ts'
import { GROUP_LANE } from '../../../src/kafka/group/coordinator.ts'
import {
  GroupSession,
  type AssignedPartition,
  type GroupListener,
  type GroupOptions,
  type TopicPartition,
} from '../../../src/kafka/group/session.ts'
import { spawnJava } from '../../../../../test-bed/java.ts'
import { CONSUMER_GROUP_HEARTBEAT, LEAVE_GROUP } from '../../../src/kafka/protocol/groups.ts'
import {
  bootstrapServers,
  brokerAvailable,
  isEmbedded,
  javaAvailable,
  ownBroker,
  uniqueName,
} from '../../support/broker.ts'
import { TransactionalWriter } from '../../support/transactional-writer.ts'

const never = new AbortController().signal

/** Who holds which partition in a test; a partition with two holders is a failure of I3. */
class Holders {
  readonly #holders = new Map<string, string>()
  readonly conflicts: string[] = []
  take(partition: TopicPartition, member: string): void {
    const key = `${partition.topic}/${partition.partition}`
    const holder = this.#holders.get(key)
    if (holder !== undefined) this.conflicts.push(`${member} was given ${key} while ${holder} had it`)
    this.#holders.set(key, member)
  }
  release(partition: TopicPartition, member: string): void {
    const key = `${partition.topic}/${partition.partition}`
    if (this.#holders.get(key) === member) this.#holders.delete(key)
  }
  get count(): number {
    return this.#holders.size
  }
}

class Member implements GroupListener {
  readonly cluster: Cluster
  readonly session: GroupSession
  readonly name: string
  readonly #holders: Holders
  readonly assigned: AssignedPartition[][] = []
  readonly revoked: TopicPartition[][] = []
  readonly lost: TopicPartition[][] = []
  readonly failures: MillraceError[] = []
  /** Runs inside `onRevoked`. */
  drain: (partitions: readonly TopicPartition[]) => Promise<void> = async () => {}

  constructor(servers: string, holders: Holders, options: GroupOptions, name = uniqueName('m'), apiTimeoutMs = 60_000) {
    this.name = name
    this.#holders = holders
    this.cluster = new Cluster({
      bootstrapServers: servers.split(','),
      clientId: name,
      metadataMaxAgeMs: 1000,
      apiTimeoutMs,
    })
    this.session = new GroupSession(
      this.cluster,
      { sessionTimeoutMs: 6000, heartbeatIntervalMs: 200, rebalanceTimeoutMs: 10_000, ...options },
      this,
    )
  }
  async onAssigned(partitions: readonly AssignedPartition[]): Promise<void> {
    for (const each of partitions) this.#holders.take(each, this.name)
    this.assigned.push([...partitions])
  }
  async onRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    await this.drain(partitions)
    for (const each of partitions) this.#holders.release(each, this.name)
    this.revoked.push([...partitions])
  }
  onLost(partitions: readonly TopicPartition[]): void {
    for (const each of partitions) this.#holders.release(each, this.name)
    this.lost.push([...partitions])
  }
  onFailed(error: MillraceError): void {
    this.failures.push(error)
  }
  get owned(): number[] {
    return this.session.assignment.map(({ partition }) => partition).sort((a, b) => a - b)
  }
  async stop(): Promise<void> {
    await this.session.close()
    await this.cluster.close()
  }
}

async function until(condition: () => boolean | Promise<boolean>, what: string, timeoutMs = 60_000): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`Waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Takes a member out of its group behind its back, as an administrator can. */
async function expel(
  cluster: Cluster,
  groupId: string,
  memberId: string,
  protocol: GroupOptions['protocol'],
): Promise<void> {
  const coordinator = await cluster.coordinator('group', groupId)
  const answer =
    protocol === 'consumer'
      ? await cluster.request(coordinator, CONSUMER_GROUP_HEARTBEAT, () => ({ groupId, memberId, memberEpoch: -1 }), {
          lane: GROUP_LANE,
        })
      : await cluster.request(
          coordinator,
          LEAVE_GROUP,
          () => ({ groupId, members: [{ memberId, groupInstanceId: null }] }),
          { lane: GROUP_LANE },
        )
  expect(answer.errorCode).toBe(0)
}

/** Writes an offset within a transaction that stays open until `commit`. */
async function openOffsetTransaction(
  cluster: Cluster,
  groupId: string,
  at: TopicPartition & { offset: number },
): Promise<TransactionalWriter> {
  const writer = await TransactionalWriter.open(cluster, uniqueName('tx'))
  await writer.writeOffset(groupId, at.topic, at.partition, at.offset)
  return writer
}

describe.skipIf(!brokerAvailable)('group session', () => {
  let cluster: Cluster
  let admin: TopicAdmin
  let groups: GroupAdmin
  let topic: string
  const members: Member[] = []

  beforeAll(() => {
    cluster = new Cluster({ bootstrapServers: bootstrapServers().split(','), clientId: 'test' })
    admin = new TopicAdmin(cluster)
    groups = new GroupAdmin(cluster)
  })
  afterEach(async () => {
    await Promise.all(members.splice(0).map((member) => member.stop()))
  })
  afterAll(() => cluster.close())

  async function createTopic(partitions = 6): Promise<string> {
    topic = uniqueName('group')
    await admin.createTopic({ name: topic, partitions })
    return topic
  }
  function member(
    holders: Holders,
    options: Partial<GroupOptions> & { groupId: string },
    servers = bootstrapServers(),
  ): Member {
    const made = new Member(servers, holders, { topics: [topic], ...options })
    members.push(made)
    return made
  }

  const kinds: { kind: string; options: Partial<GroupOptions> }[] = [
    { kind: 'eager (range)', options: { assignors: ['range'] } },
    { kind: 'eager (round robin)', options: { assignors: ['roundrobin'] } },
    { kind: 'the default assignors', options: {} },
    { kind: 'cooperative', options: { assignors: ['cooperative-sticky'] } },
    { kind: 'KIP-848', options: { protocol: 'consumer' } },
  ]

  describe.each(kinds)('$kind', ({ options }) => {
    test('two members join and leave, and no partition has two owners', async () => {
      await createTopic()
      const groupId = uniqueName('g')
      const holders = new Holders()
      const first = member(holders, { groupId, ...options })
      await first.session.start(never)
      await until(() => first.owned.length === 6, 'the first member owns all')

      const second = member(holders, { groupId, ...options })
      await second.session.start(never)
      await until(() => first.owned.length === 3 && second.owned.length === 3, 'both own half')
      expect([...first.owned, ...second.owned].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5])

      const third = member(holders, { groupId, ...options })
      await third.session.start(never)
      await until(() => [first, second, third].every(({ owned }) => owned.length === 2), 'all own a third')

      await second.stop()
      await until(() => first.owned.length === 3 && third.owned.length === 3, 'the two others own half')
      await first.stop()
      await until(() => third.owned.length === 6, 'the last one owns all')
      expect(holders.conflicts).toEqual([])
      expect(holders.count).toBe(6)
      for (const each of [first, second, third]) expect([each.lost, each.failures]).toEqual([[], []])
    })

    test('a commit made while giving a partition back is what its next owner begins with', async () => {
      await createTopic(2)
      const groupId = uniqueName('g')
      const holders = new Holders()
      const first = member(holders, { groupId, ...options })
      first.drain = async (partitions) => {
        const { committed } = await first.session.commit(
          partitions.map((each) => ({ ...each, offset: 7 + each.partition })),
        )
        expect(committed).toHaveLength(partitions.length)
      }
      await first.session.start(never)
      await until(() => first.owned.length === 2, 'the first member owns all')
      expect(first.assigned.flat().every(({ committed }) => committed === undefined)).toBe(true)

      const second = member(holders, { groupId, ...options })
      await second.session.start(never)
      await until(() => second.owned.length === 1, 'the second member owns one')
      const [partition] = second.owned
      expect(second.assigned.flat()).toMatchObject([{ topic, partition, committed: 7 + partition! }])

      await first.stop()
      await until(() => second.owned.length === 2, 'the second member owns both')
      expect(second.assigned.flat().find((each) => each.partition !== partition)?.committed).toBe(7 + (1 - partition!))
    })
  })

  describe.each([
    { kind: 'classic', options: { assignors: ['cooperative-sticky'] } as Partial<GroupOptions> },
    { kind: 'KIP-848', options: { protocol: 'consumer' } as Partial<GroupOptions> },
  ])('a member that the group has forgotten ($kind)', ({ options }) => {
    test('learns that its partitions are lost, commits nothing, and joins again', async () => {
      await createTopic(2)
      const groupId = uniqueName('g')
      const holders = new Holders()
      const first = member(holders, { groupId, ...options })
      await first.session.start(never)
      await until(() => first.owned.length === 2, 'it owns all')
      await first.session.commit([{ topic, partition: 0, offset: 3 }])
      const { memberId } = first.session

      await expel(first.cluster, groupId, first.session.memberId, options.protocol)
      const { committed, refused } = await first.session.commit([
        { topic, partition: 0, offset: 9 },
        { topic, partition: 1, offset: 9 },
      ])
      expect(committed).toEqual([])
      expect(refused.map(({ reason }) => reason)).toEqual(['not owned', 'not owned'])
      await until(() => first.lost.length === 1, 'it has lost all')
      expect(first.lost.flat()).toHaveLength(2)

      await until(() => first.owned.length === 2, 'it owns all again')
      expect(first.assigned.at(-1)).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ topic, partition: 0, committed: 3 }),
          expect.objectContaining({ topic, partition: 1, committed: undefined }),
        ]),
      )
      if (options.protocol !== 'consumer') expect(first.session.memberId).not.toBe(memberId)
      expect(await first.session.commit([{ topic, partition: 0, offset: 9 }])).toMatchObject({
        committed: [{ partition: 0, offset: 9 }],
        refused: [],
      })
      expect([holders.conflicts, first.failures]).toEqual([[], []])
    })
  })

  test('a process that was suspended for longer than its session has lost its partitions, and joins again', async () => {
    await createTopic(1)
    const groupId = uniqueName('g')
    const first = member(new Holders(), { groupId, sessionTimeoutMs: 2000 })
    await first.session.start(never)
    // What SIGSTOP does to a process: nothing runs, no timer fires.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5000)
    expect((await first.session.commit([{ topic, partition: 0, offset: 1 }])).committed).toEqual([])
    await until(() => first.lost.length > 0 && first.owned.length === 1, 'it was lost and came back')
    expect(first.failures).toEqual([])
  })

  test('commits what is owned, and names the rest', async () => {
    await createTopic(1)
    const groupId = uniqueName('g')
    const first = member(new Holders(), { groupId })
    await first.session.start(never)
    const result = await first.session.commit([
      { topic, partition: 0, offset: 5, leaderEpoch: 0, metadata: 'note' },
      { topic, partition: 1, offset: 5 },
      { topic: 'elsewhere', partition: 0, offset: 5 },
    ])
    expect(result.committed).toEqual([{ topic, partition: 0, offset: 5, leaderEpoch: 0, metadata: 'note' }])
    expect(result.refused.map((each) => [each.topic, each.partition, each.reason])).toEqual([
      [topic, 1, 'not owned'],
      ['elsewhere', 0, 'not owned'],
    ])
    expect(await groups.committedOffsets(groupId)).toEqual([
      { topic, partition: 0, offset: 5, leaderEpoch: 0, metadata: 'note' },
    ])
  })

  test('commits that a rebalance of others overtakes arrive all the same', async () => {
    await createTopic()
    const groupId = uniqueName('g')
    const holders = new Holders()
    const first = member(holders, { groupId, assignors: ['cooperative-sticky'] })
    await first.session.start(never)
    let isOver = false
    let commits = 0
    const wronged: unknown[] = []
    const committing = (async () => {
      for (let offset = 1; !isOver; offset++, commits++) {
        const before = first.revoked.length
        const { refused } = await first.session.commit(first.session.assignment.map((each) => ({ ...each, offset })))
        // Only what was given away meanwhile, even if it is back already, may be refused.
        const gone = first.revoked.slice(before).flat()
        wronged.push(
          ...refused.filter(
            ({ partition, reason }) => reason !== 'not owned' || !gone.some((each) => each.partition === partition),
          ),
        )
      }
    })()
    for (let i = 0; i < 3; i++) {
      const other = member(holders, { groupId, assignors: ['cooperative-sticky'] })
      await other.session.start(never)
      await until(() => other.owned.length === 3, 'the other owns half')
      await other.stop()
      await until(() => first.owned.length === 6, 'the first owns all again')
    }
    isOver = true
    await committing
    expect(commits).toBeGreaterThan(10)
    expect(wronged).toEqual([])
    expect([first.lost, first.failures, holders.conflicts]).toEqual([[], [], []])
  })

  test('keeps sending heartbeats while a slow owner drains, for longer than the session lasts', async () => {
    await createTopic(2)
    const groupId = uniqueName('g')
    const holders = new Holders()
    const options = { groupId, sessionTimeoutMs: 4000, heartbeatIntervalMs: 200 }
    const first = member(holders, options)
    first.onAssigned = async (partitions) => {
      // As slow as a user's own state that has to be restored first.
      await new Promise((resolve) => setTimeout(resolve, 6000))
      for (const each of partitions) holders.take(each, first.name)
    }
    await first.session.start(never)
    expect(first.owned).toEqual([0, 1])
    expect((await first.session.commit([{ topic, partition: 0, offset: 1 }])).refused).toEqual([])
    expect([first.lost, first.session.rebalances]).toEqual([[], 1])
  })

  test('gives partitions back when the listener does not come to an end with draining', async () => {
    await createTopic(2)
    const groupId = uniqueName('g')
    const first = member(new Holders(), { groupId, sessionTimeoutMs: 4000, heartbeatIntervalMs: 100 })
    await first.session.start(never)
    let isReleased = false
    let release = (): void => {}
    first.drain = () => new Promise((resolve) => (release = resolve))
    const second = member(new Holders(), { groupId })
    const started = performance.now()
    await second.session.start(never)
    expect(performance.now() - started).toBeGreaterThan(1900)
    await until(() => first.owned.length === 1 && second.owned.length === 1, 'both own one')
    first.drain = async () => void (isReleased = true)
    release()
    await first.stop()
    expect(isReleased).toBe(true)
    expect([first.lost, second.lost]).toEqual([[], []])
  })

  test('the leader shares out partitions that a topic gets while the group runs, and topics that go', async () => {
    await createTopic(2)
    const groupId = uniqueName('g')
    const holders = new Holders()
    const both = [topic, await createTopic(1)]
    const first = member(holders, { groupId, topics: both, assignors: ['cooperative-sticky'] })
    const second = member(holders, { groupId, topics: both, assignors: ['cooperative-sticky'] })
    await Promise.all([first.session.start(never), second.session.start(never)])
    await until(() => first.owned.length + second.owned.length === 3, 'all are owned')
    await admin.createPartitions(both[0]!, 6)
    await until(() => first.owned.length + second.owned.length === 7, 'the new ones are owned')
    await admin.deleteTopics([both[1]!])
    await until(() => first.owned.length + second.owned.length === 6, 'those of the deleted topic are not')
    expect([holders.conflicts, first.failures, second.failures]).toEqual([[], [], []])
  })

  test('KIP-848: takes up partitions that a topic gets while the group runs', async () => {
    await createTopic(1)
    const first = member(new Holders(), { groupId: uniqueName('g'), protocol: 'consumer' })
    await first.session.start(never)
    await until(() => first.owned.length === 1, 'it owns one')
    await admin.createPartitions(topic, 4)
    await until(() => first.owned.length === 4, 'it owns four')
  })

  describe.each([
    { kind: 'classic', options: {} as Partial<GroupOptions> },
    { kind: 'KIP-848', options: { protocol: 'consumer' } as Partial<GroupOptions> },
  ])('a static member ($kind)', ({ options }) => {
    test('has the same partitions after a restart, and the others do not notice', async () => {
      await createTopic()
      const groupId = uniqueName('g')
      const holders = new Holders()
      const first = member(holders, { groupId, instanceId: 'one', sessionTimeoutMs: 20_000, ...options })
      await first.session.start(never)
      const second = member(holders, { groupId, instanceId: 'two', sessionTimeoutMs: 20_000, ...options })
      await second.session.start(never)
      await until(() => first.owned.length === 3 && second.owned.length === 3, 'both own half')
      const before = second.owned
      const { rebalances } = first.session

      await second.stop()
      const again = member(holders, { groupId, instanceId: 'two', sessionTimeoutMs: 20_000, ...options })
      await again.session.start(never)
      await until(() => again.owned.length === 3, 'it is back')
      expect(again.owned).toEqual(before)
      await new Promise((resolve) => setTimeout(resolve, 500))
      expect(first.session.rebalances).toBe(rebalances)
      expect(holders.conflicts).toEqual([])
    })
  })

  test('a static member whose instance id somebody else takes is fenced, and commits nothing', async () => {
    await createTopic(2)
    const groupId = uniqueName('g')
    const first = member(new Holders(), { groupId, instanceId: 'one' })
    await first.session.start(never)
    const second = member(new Holders(), { groupId, instanceId: 'one' })
    await second.session.start(never)
    const result = await first.session
      .commit([{ topic, partition: 0, offset: 1 }])
      .catch((error: MillraceError) => error.code)
    // Fenced by the commit itself, or by the heartbeat before it.
    if (typeof result === 'object') expect(result.committed).toEqual([])
    else expect(result).toBe('MEMBER_FENCED')
    await until(() => first.failures.length === 1, 'it has failed')
    expect(first.failures[0]).toMatchObject({ code: 'MEMBER_FENCED', retriable: false })
    expect(first.failures[0]!.message).toContain('group.instance.id')
    expect([first.lost.flat().length, first.owned, second.owned]).toEqual([2, [], [0, 1]])
  })

  test('KIP-848: an instance id that is in use is waited for, and then taken over', async () => {
    await createTopic(1)
    const groupId = uniqueName('g')
    const options = { groupId, instanceId: 'one', protocol: 'consumer' as const }
    const first = member(new Holders(), options)
    await first.session.start(never)
    await until(() => first.owned.length === 1, 'the first owns it')
    const warnings: string[] = []
    const second = member(new Holders(), { ...options, warn: (message) => warnings.push(message) })
    const started = second.session.start(never)
    // The newer one waited without a word.
    await until(() => warnings.length > 0, 'the second says what it waits for')
    expect(warnings).toEqual([expect.stringContaining('another member uses group.instance.id "one"')])
    expect(first.owned).toEqual([0])
    await first.stop()
    await started
    await until(() => second.owned.length === 1, 'the second owns it')
  })

  test.each([
    {
      name: 'no assignor in common',
      other: { assignors: ['roundrobin'] as const },
      text: /Cannot join group "g-.*", offering "roundrobin".* have no assignor in common/,
    },
    { name: 'a session that the broker does not allow', other: { sessionTimeoutMs: 10 }, text: /session\.timeout\.ms/ },
  ])('says why the group refuses a member: $name', async ({ other, text }) => {
    await createTopic(1)
    const groupId = uniqueName('g')
    const first = member(new Holders(), { groupId, assignors: ['range'] })
    await first.session.start(never)
    const second = member(new Holders(), { groupId, ...other })
    const error = await second.session.start(never).catch((each: unknown) => each)
    expect(error).toMatchObject({ code: 'GROUP_FAILED' })
    expect((error as Error).message).toMatch(text)
    expect(second.failures).toEqual([])
  })

  test('an unknown server assignor is refused with the name of its option', async () => {
    await createTopic(1)
    const first = member(new Holders(), { groupId: uniqueName('g'), protocol: 'consumer', serverAssignor: 'nonsense' })
    await expect(first.session.start(never)).rejects.toMatchObject({
      code: 'GROUP_FAILED',
      message: expect.stringContaining('group.remote.assignor'),
    })
  })

  test('what the listener throws ends the session: start rejects, later it is reported', async () => {
    await createTopic(2)
    const groupId = uniqueName('g')
    const first = member(new Holders(), { groupId, assignors: ['cooperative-sticky'] })
    first.onAssigned = () => Promise.reject(new Error('no room'))
    await expect(first.session.start(never)).rejects.toMatchObject({
      code: 'UNEXPECTED',
      message: expect.stringContaining('no room'),
    })
    expect(await groups.describeGroup(groupId)).toMatchObject({ state: 'Empty' })

    const second = member(new Holders(), { groupId, assignors: ['cooperative-sticky'] })
    const third = member(new Holders(), { groupId, assignors: ['cooperative-sticky'] })
    await second.session.start(never)
    await third.session.start(never)
    await until(() => second.owned.length === 1 && third.owned.length === 1, 'both own one')
    third.onAssigned = () => Promise.reject(new Error('no room'))
    await second.stop()
    await until(() => third.failures.length === 1, 'the third has failed')
  })

  test.each([{ protocol: 'classic' as const }, { protocol: 'consumer' as const }])(
    'leaves at once when closed, before, during and after the start ($protocol)',
    async ({ protocol }) => {
      await createTopic(1)
      const groupId = uniqueName('g')
      const early = member(new Holders(), { groupId, protocol })
      await early.session.close()
      await expect(early.session.start(never)).rejects.toMatchObject({ code: 'CLOSED' })

      const during = member(new Holders(), { groupId, protocol })
      const start = expect(during.session.start(never)).rejects.toMatchObject({ code: 'CLOSED' })
      await during.session.close()
      await start

      const aborted = member(new Holders(), { groupId, protocol })
      const controller = new AbortController()
      const aborting = expect(aborted.session.start(controller.signal)).rejects.toMatchObject({ code: 'ABORTED' })
      controller.abort()
      await aborting

      const first = member(new Holders(), { groupId, protocol, sessionTimeoutMs: 30_000 })
      await first.session.start(never)
      await until(() => first.owned.length === 1, 'it owns one')
      await Promise.all([first.session.close(), first.session.close()])
      expect(first.revoked.flat()).toEqual([{ topic, partition: 0 }])
      expect((await first.session.commit([{ topic, partition: 0, offset: 1 }])).refused).toHaveLength(1)
      const next = member(new Holders(), { groupId, protocol })
      const started = performance.now()
      await next.session.start(never)
      await until(() => next.owned.length === 1, 'the next one owns it')
      // Long before the session of the first would have been over.
      expect(performance.now() - started).toBeLessThan(20_000)
    },
  )

  test('waits for the end of a transaction before it believes a committed offset', async () => {
    await createTopic(1)
    const groupId = uniqueName('g')
    const transaction = await openOffsetTransaction(cluster, groupId, { topic, partition: 0, offset: 42 })
    const first = member(new Holders(), { groupId })
    const start = first.session.start(never)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(first.assigned).toEqual([])
    await transaction.commit()
    await start
    expect(first.assigned.flat()).toMatchObject([{ topic, partition: 0, committed: 42 }])
  })

  describe.skipIf(!javaAvailable)('beside a Java consumer', () => {
    test.each([
      { name: 'RangeAssignor', options: { assignors: ['range'] } as Partial<GroupOptions> },
      { name: 'RoundRobinAssignor', options: { assignors: ['roundrobin'] } as Partial<GroupOptions> },
      { name: 'CooperativeStickyAssignor', options: { assignors: ['cooperative-sticky'] } as Partial<GroupOptions> },
      { name: 'KIP-848', options: { protocol: 'consumer' } as Partial<GroupOptions> },
    ])('$name: no matter which member leads, both get their share', async ({ name, options }) => {
      await createTopic()
      const groupId = uniqueName('g')
      const properties =
        name === 'KIP-848'
          ? ['group.protocol=consumer']
          : [`partition.assignment.strategy=org.apache.kafka.clients.consumer.${name}`]
      const spawnConsumer = () =>
        spawnJava(
          'org.apache.kafka.tools.consumer.ConsoleConsumer',
          [
            '--bootstrap-server',
            bootstrapServers(),
            '--topic',
            topic,
            '--group',
            groupId,
            ...[...properties, 'heartbeat.interval.ms=300', 'session.timeout.ms=6000']
              .filter((each) => name !== 'KIP-848' || each.startsWith('group'))
              .flatMap((each) => ['--command-property', each]),
          ],
          { jvmArgs: ['-Xmx128m', '-XX:TieredStopAtLevel=1'] },
        )
      // First ours leads, then Java's.
      const holders = new Holders()
      const first = member(holders, { groupId, ...options })
      await first.session.start(never)
      await until(() => first.owned.length === 6, 'ours owns all')
      const java = await spawnConsumer()
      try {
        await until(() => first.owned.length === 3, 'each owns half')
        await first.stop()
        const second = member(holders, { groupId, ...options })
        await second.session.start(never)
        await until(() => second.owned.length === 3, 'each owns half again')
        const third = member(holders, { groupId, ...options })
        await third.session.start(never)
        await until(() => second.owned.length === 2 && third.owned.length === 2, 'each owns a third')
        expect([holders.conflicts, second.lost, second.failures]).toEqual([[], [], []])
        java.kill('SIGTERM')
        await until(() => second.owned.length + third.owned.length === 6, 'ours own all')
        expect(holders.conflicts).toEqual([])
      } finally {
        java.kill('SIGKILL')
      }
    })
  })

  describe.skipIf(isEmbedded)('when the coordinator is restarted', () => {
    const broker = ownBroker()
    test.each([
      { kind: 'classic', options: { assignors: ['cooperative-sticky'] } as Partial<GroupOptions> },
      { kind: 'KIP-848', options: { protocol: 'consumer' } as Partial<GroupOptions> },
    ])('continues, and what is committed meanwhile arrives ($kind)', async ({ options }) => {
      const own = new Cluster({ bootstrapServers: broker().bootstrapServers.split(','), clientId: 'own' })
      const ownAdmin = new TopicAdmin(own)
      topic = uniqueName('restart')
      await ownAdmin.createTopic({ name: topic, partitions: 2 })
      const groupId = uniqueName('g')
      const holders = new Holders()
      const first = member(holders, { groupId, sessionTimeoutMs: 20_000, ...options }, broker().bootstrapServers)
      const second = member(holders, { groupId, sessionTimeoutMs: 20_000, ...options }, broker().bootstrapServers)
      await Promise.all([first.session.start(never), second.session.start(never)])
      await until(() => first.owned.length === 1 && second.owned.length === 1, 'both own one')

      const [process] = broker().brokers
      await process!.kill()
      const partition = first.owned[0]!
      const commit = first.session.commit([{ topic, partition, offset: 11 }])
      await new Promise((resolve) => setTimeout(resolve, 1000))
      await process!.restart()
      const { committed, refused } = await commit
      // The group outlives its coordinator, so the member still owns the partition.
      expect([committed.length, refused.length]).toEqual([1, 0])
      await until(() => first.owned.length === 1 && second.owned.length === 1, 'both own one')
      expect([holders.conflicts, first.failures, second.failures]).toEqual([[], [], []])
      expect(await new GroupAdmin(own).committedOffsets(groupId, [{ topic, partition }])).toMatchObject([
        { offset: 11 },
      ])
      await Promise.all([first.stop(), second.stop()])
      await own.close()
    })
  })

  describe('when there is no coordinator to join', () => {
    const broker = ownBroker()
    test.each([
      { name: 'keeps trying, and joins when there is one again', apiTimeoutMs: 60_000, isBack: true },
      { name: 'fails after apiTimeoutMs', apiTimeoutMs: 6000, isBack: false },
    ])('$name', async ({ apiTimeoutMs, isBack }) => {
      const servers = broker().bootstrapServers
      const own = new Cluster({ bootstrapServers: servers.split(','), clientId: 'own' })
      topic = uniqueName('rejoin')
      await new TopicAdmin(own).createTopic({ name: topic, partitions: 2 })
      const holders = new Holders()
      const groupId = uniqueName('g')
      const first = new Member(
        servers,
        holders,
        { groupId, topics: [topic], sessionTimeoutMs: 20_000 },
        'first',
        apiTimeoutMs,
      )
      members.push(first)
      await first.session.start(never)
      const [process] = broker().brokers
      first.drain = () => process!.kill()
      const second = new Member(servers, holders, { groupId, topics: [topic] }, 'second')
      members.push(second)
      const start = second.session.start(never).catch(() => {})
      await until(() => !process!.isRunning(), 'the broker is gone')
      if (isBack) {
        await new Promise((resolve) => setTimeout(resolve, 3000))
        first.drain = async () => {}
        await process!.restart()
        await start
        await until(() => first.owned.length === 1 && second.owned.length === 1, 'both own one')
        expect(first.failures).toEqual([])
      } else {
        await until(() => first.failures.length === 1, 'it has failed')
        expect(first.failures[0]).toMatchObject({ code: expect.stringMatching(/BROKER_(UNREACHABLE|DISCONNECTED)/) })
      }
      expect(holders.conflicts).toEqual([])
      await Promise.all([first.stop(), second.stop(), start])
      await own.close()
    })
  })

  test('start gives up when no coordinator answers, and says which brokers were tried', async () => {
    topic = 'any'
    const lone = new Member('127.0.0.1:1', new Holders(), { groupId: 'g', topics: ['any'] })
    members.push(lone)
    const quick = new Cluster({
      bootstrapServers: ['127.0.0.1:1'],
      clientId: 'x',
      apiTimeoutMs: 1000,
      connectTimeoutMs: 500,
    })
    const session = new GroupSession(quick, { groupId: 'g', topics: ['any'] }, lone)
    await expect(session.start(never)).rejects.toMatchObject({
      code: 'BROKER_UNREACHABLE',
      message: expect.stringContaining('127.0.0.1:1'),
    })
    await quick.close()
  })
})
