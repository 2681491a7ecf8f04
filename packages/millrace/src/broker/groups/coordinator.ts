/**
 * The group coordinators of all nodes: which node is responsible for a group, and the groups themselves. The node of a group may
 * change; its state does not, as if it had been read from `__consumer_offsets`.
 */
import { ERROR } from '../../protocol/error-codes.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { StoredState } from '../storage/changes.ts'
import type { Configs } from '../cluster/config-definitions.ts'
import { GROUP_CONFIGS, HEARTBEAT_INTERVAL, SESSION_TIMEOUT } from '../cluster/group-configs.ts'
import type { Timers } from '../timers.ts'
import { type After, ClassicGroup } from './classic-group.ts'
import { ClassicMembers } from './classic-members.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { classicMembersOf, convertedMembers } from './migration.ts'
import { GroupOffsets } from './offsets.ts'

/** What there is a coordinator for. */
export type CoordinatorKind = 'group' | 'transaction'

/** A group of either protocol. */
export type Group = ClassicGroup | ConsumerGroup

/** How the broker runs consumer groups. */
export interface GroupSettings {
  /** `group.min.session.timeout.ms` and `group.max.session.timeout.ms`, of classic groups. */
  readonly minSessionTimeoutMs: number
  /** Longest session timeout that a member may ask for. */
  readonly maxSessionTimeoutMs: number
  /** `group.consumer.session.timeout.ms` and `group.consumer.heartbeat.interval.ms`, of the consumer protocol. */
  readonly sessionTimeoutMs: number
  /** How often members of a group of KIP-848 send heartbeats. */
  readonly heartbeatIntervalMs: number
}

/** Kind of entries in the journal. */
const GROUP_CONFIG_ENTRIES = 'group-configs'

/** Which node coordinates a group or a transactional id. */
export class CoordinatorPlaces {
  readonly #cluster: Cluster
  readonly #moved = new Map<string, number>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** @returns `undefined` when no node runs */
  of(kind: CoordinatorKind, key: string): number | undefined {
    const moved = this.#moved.get(`${kind} ${key}`)
    if (moved !== undefined && this.#cluster.node(moved)?.running === true) return moved
    const { running } = this.#cluster
    return running.length === 0 ? undefined : running[hash(key) % running.length]!.id
  }

  move(kind: CoordinatorKind, key: string, node: number): void {
    this.#moved.set(`${kind} ${key}`, node)
  }
}

/** Java's `String.hashCode`, made positive. */
function hash(text: string): number {
  let code = 0
  for (let i = 0; i < text.length; i++) code = (Math.imul(code, 31) + text.charCodeAt(i)) | 0
  return code & 0x7fffffff
}

export class GroupCoordinator {
  readonly places: CoordinatorPlaces
  readonly settings: GroupSettings
  readonly #cluster: Cluster
  readonly #after: After
  readonly #groups = new Map<string, Group>()
  /** Settings of single groups, by their names; a group need not exist to have some. */
  readonly #configs = new Map<string, Configs>()

  constructor(cluster: Cluster, timers: Timers, settings: GroupSettings) {
    this.places = new CoordinatorPlaces(cluster)
    this.settings = settings
    this.#cluster = cluster
    this.#after = (milliseconds, callback) => timers.after(milliseconds, callback)
  }

  /** Why a node may not answer for a group; 0 when it may. */
  refusal(groupId: string, node: number): number {
    if (groupId === '') return ERROR.INVALID_GROUP_ID
    return this.places.of('group', groupId) === node ? ERROR.NONE : ERROR.NOT_COORDINATOR
  }

  find(groupId: string): Group | undefined {
    return this.#groups.get(groupId)
  }

  findClassic(groupId: string): ClassicGroup | undefined {
    const group = this.#groups.get(groupId)
    return group?.kind === 'classic' ? group : undefined
  }

  findConsumer(groupId: string): ConsumerGroup | undefined {
    const group = this.#groups.get(groupId)
    return group?.kind === 'consumer' ? group : undefined
  }

  /** The group for a member of the classic protocol, or one that only holds offsets; `undefined` when it has members of the other. */
  classicGroup(groupId: string): ClassicGroup | undefined {
    const known = this.#groups.get(groupId)
    if (known?.kind === 'classic') return known
    if (known !== undefined && known.members.size > 0) return undefined
    const group = new ClassicGroup(groupId, this.#after, known?.offsets ?? this.#newOffsets(groupId))
    this.#groups.set(groupId, group)
    return group
  }

  /** A group of the consumer protocol, for its members that speak the classic one; `undefined` when there is none. */
  classicMembers(groupId: string): ClassicMembers | undefined {
    const group = this.findConsumer(groupId)
    return group === undefined ? undefined : new ClassicMembers(group, this.#cluster)
  }

  /**
   * The group for a member of the consumer protocol. One with members of the classic protocol becomes one of the consumer protocol,
   * in which they stay (KIP-848, `group.consumer.migration.policy=bidirectional`).
   *
   * @returns `undefined` when its members cannot be taken over, as they are no consumers
   */
  consumerGroup(groupId: string): ConsumerGroup | undefined {
    const known = this.#groups.get(groupId)
    if (known?.kind === 'consumer') return known
    const members = known === undefined || known.state === 'Empty' ? [] : convertedMembers(known, this.#cluster)
    if (members === undefined) return undefined
    const offsets = known?.offsets ?? this.#newOffsets(groupId)
    const sessionTimeoutMs = (): number => this.#setting(groupId, SESSION_TIMEOUT, this.settings.sessionTimeoutMs)
    const group = new ConsumerGroup(groupId, this.#cluster, this.#after, sessionTimeoutMs, offsets)
    group.onOnlyClassic = () => this.#toClassic(group)
    if (known?.kind === 'classic' && members.length > 0) {
      group.adopt(members, known.generationId)
      known.stop(ERROR.REBALANCE_IN_PROGRESS)
    }
    this.#groups.set(groupId, group)
    return group
  }

  /** What is left of a group when the last member of the consumer protocol has gone is a classic group, which rebalances. */
  #toClassic(consumers: ConsumerGroup): void {
    const group = new ClassicGroup(consumers.id, this.#after, consumers.offsets)
    group.adopt(classicMembersOf(consumers, this.#cluster), consumers.epoch)
    consumers.stop()
    this.#groups.set(consumers.id, group)
  }

  #newOffsets(group: string): GroupOffsets {
    return new GroupOffsets((change) => this.#cluster.options.store.record({ ...change, group }))
  }

  /** Takes over the offsets and settings that were kept; members have to join again. */
  restore({ groups, entries }: StoredState): void {
    for (const [groupId, offsets] of groups) this.classicGroup(groupId)!.offsets.restore(offsets)
    // The journal holds what `configure` has written.
    for (const { kind, key, value } of entries.values())
      if (kind === GROUP_CONFIG_ENTRIES) this.#configs.set(key, new Map(value as [string, string][]))
  }

  /** How often a member of the consumer protocol is to send a heartbeat. */
  heartbeatIntervalMs(groupId: string): number {
    return this.#setting(groupId, HEARTBEAT_INTERVAL, this.settings.heartbeatIntervalMs)
  }

  #setting(groupId: string, name: string, otherwise: number): number {
    return Number(this.#configs.get(groupId)?.get(name) ?? otherwise)
  }

  /** The settings of groups that the options of the broker change. */
  startedWith(): Configs {
    const { sessionTimeoutMs, heartbeatIntervalMs } = this.settings
    const started = [
      [SESSION_TIMEOUT, String(sessionTimeoutMs)],
      [HEARTBEAT_INTERVAL, String(heartbeatIntervalMs)],
    ] as const
    return new Map(started.filter(([name, value]) => GROUP_CONFIGS[name]!.default !== value))
  }

  configsOf(groupId: string): Configs {
    return this.#configs.get(groupId) ?? new Map()
  }

  configure(groupId: string, configs: Configs): void {
    const value = configs.size > 0 ? [...configs] : null
    this.#cluster.options.store.record({ is: 'entry', kind: GROUP_CONFIG_ENTRIES, key: groupId, value })
    if (configs.size > 0) this.#configs.set(groupId, configs)
    else this.#configs.delete(groupId)
  }

  /** Names of the groups that have settings. */
  configured(): string[] {
    return [...this.#configs.keys()]
  }

  /** All groups, or those that a node coordinates. */
  all(node?: number): Group[] {
    const groups = [...this.#groups.values()]
    return node === undefined ? groups : groups.filter(({ id }) => this.places.of('group', id) === node)
  }

  /** @returns an error code */
  delete(groupId: string): number {
    const group = this.#groups.get(groupId)
    if (group === undefined) return ERROR.GROUP_ID_NOT_FOUND
    if (group.state !== 'Empty') return ERROR.NON_EMPTY_GROUP
    this.#cluster.options.store.record({ is: 'group-deleted', group: groupId })
    group.kill()
    this.#groups.delete(groupId)
    return ERROR.NONE
  }

  /** Offsets of a topic that has been deleted are gone. */
  forgetTopic(topic: string): void {
    for (const { offsets } of this.#groups.values()) offsets.deleteTopic(topic)
  }

  /** Ends the transaction of a producer in all groups. */
  endTransaction(groupIds: Iterable<string>, producerId: number, commit: boolean): void {
    for (const groupId of groupIds) this.#groups.get(groupId)?.offsets.end(producerId, commit)
  }

  /** Answers what waits on a node that stops being the coordinator of groups. */
  unload(groups: readonly Group[]): void {
    for (const group of groups) group.unload(ERROR.NOT_COORDINATOR)
  }

  stop(): void {
    for (const group of this.#groups.values()) group.stop(ERROR.COORDINATOR_NOT_AVAILABLE)
  }
}
