import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { isMillraceError, type MillraceError } from '../../../src/errors/index.ts'
import { Admin } from '../../../src/kafka/admin.ts'
import { Cluster } from '../../../src/kafka/cluster.ts'
import { GroupSession, type AssignedPartition, type GroupListener, type GroupOptions, type TopicPartition } from '../../../src/kafka/group/session.ts'
import { bootstrapServers, brokerAvailable, ownBroker, uniqueName } from '../../support/broker.ts'

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

  constructor(servers: string, holders: Holders, options: GroupOptions, name = uniqueName('m')) {
    this.name = name
    this.#holders = holders
    this.cluster = new Cluster({ bootstrapServers: servers.split(','), clientId: name, metadataMaxAgeMs: 1000, apiTimeoutMs: 20_000 })
    this.session = new GroupSession(this.cluster, { sessionTimeoutMs: 6000, heartbeatIntervalMs: 200, rebalanceTimeoutMs: 10_000, ...options }, this)
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

async function until(condition: () => boolean | Promise<boolean>, what: string, timeoutMs = 20_000): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`Waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe.skipIf(!brokerAvailable)('group session', () => {
  let cluster: Cluster
  let admin: Admin
  let topic: string
  const members: Member[] = []

  beforeAll(() => {
    cluster = new Cluster({ bootstrapServers: bootstrapServers().split(','), clientId: 'test' })
    admin = new Admin(cluster)
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
  function member(holders: Holders, options: Partial<GroupOptions> & { groupId: string }, servers = bootstrapServers()): Member {
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
      expect([...first.owned, ...second.owned].sort()).toEqual([0, 1, 2, 3, 4, 5])

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
        const { committed } = await first.session.commit(partitions.map((each) => ({ ...each, offset: 7 + each.partition })))
        expect(committed).toHaveLength(partitions.length)
      }
      await first.session.start(never)
      await until(() => first.owned.length === 2, 'the first member owns all')
      expect(first.assigned.flat().every(({ committed }) => committed === undefined)).toBe(true)

      const second = member(holders, { groupId, ...options })
      await second.session.start(never)
      await until(() => second.owned.length === 1, 'the second member owns one')
      const [partition] = second.owned
      expect(second.assigned.flat()).toEqual([{ topic, partition, committed: 7 + partition! }])

      await first.stop()
      await until(() => second.owned.length === 2, 'the second member owns both')
      expect(second.assigned.flat().find((each) => each.partition !== partition)?.committed).toBe(7 + (1 - partition!))
    })
  })
})
