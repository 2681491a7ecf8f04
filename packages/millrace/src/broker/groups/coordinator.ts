/**
 * The group coordinators of all nodes: which node is responsible for a group, and the groups themselves. The node of a group may
 * change; its state does not, as if it had been read from `__consumer_offsets`.
 */
import { ERROR } from '../../protocol/error-codes.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Timers } from '../timers.ts'
import { ClassicGroup } from './classic-group.ts'

/** What there is a coordinator for. */
export type CoordinatorKind = 'group' | 'transaction'

/** `group.min.session.timeout.ms`, `group.max.session.timeout.ms` */
export const SESSION_TIMEOUT_MS = { min: 6000, max: 1_800_000 }

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
  readonly #timers: Timers
  readonly #groups = new Map<string, ClassicGroup>()

  constructor(places: CoordinatorPlaces, timers: Timers) {
    this.places = places
    this.#timers = timers
  }

  /** Why a node may not answer for a group; 0 when it may. */
  refusal(groupId: string, node: number): number {
    if (groupId === '') return ERROR.INVALID_GROUP_ID
    return this.places.of('group', groupId) === node ? ERROR.NONE : ERROR.NOT_COORDINATOR
  }

  find(groupId: string): ClassicGroup | undefined {
    return this.#groups.get(groupId)
  }

  create(groupId: string): ClassicGroup {
    const group = new ClassicGroup(groupId, (milliseconds, callback) => this.#timers.after(milliseconds, callback))
    this.#groups.set(groupId, group)
    return group
  }

  /** All groups, or those that a node coordinates. */
  all(node?: number): ClassicGroup[] {
    const groups = [...this.#groups.values()]
    return node === undefined ? groups : groups.filter(({ id }) => this.places.of('group', id) === node)
  }

  /** @returns an error code */
  delete(groupId: string): number {
    const group = this.#groups.get(groupId)
    if (group === undefined) return ERROR.GROUP_ID_NOT_FOUND
    if (group.state !== 'Empty') return ERROR.NON_EMPTY_GROUP
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
  unload(groups: readonly ClassicGroup[]): void {
    for (const group of groups) group.unload(ERROR.NOT_COORDINATOR)
  }

  stop(): void {
    for (const group of this.#groups.values()) group.stop(ERROR.COORDINATOR_NOT_AVAILABLE)
  }
}
