/**
 * The assignors of the consumer protocol (KIP-848), as plain functions: which member gets which partition.
 *
 * `uniform` spreads all partitions as evenly as subscriptions allow, and moves as few as it can. `range` gives each member
 * neighbouring partitions of every topic, the same ones of topics with equally many.
 */

/** Partitions by the id of their topic. */
export type Partitions = ReadonlyMap<string, ReadonlySet<number>>

export interface AssignableMember {
  readonly memberId: string
  readonly instanceId: string | null
  /** Ids of topics. */
  readonly topicIds: ReadonlySet<string>
  /** What it was to have so far. */
  readonly target: Partitions
}

export type Assignor = (
  members: readonly AssignableMember[],
  partitionsOf: ReadonlyMap<string, number>,
) => Map<string, Map<string, Set<number>>>

export const ASSIGNORS: { readonly [name: string]: Assignor } = { uniform, range }
export const DEFAULT_ASSIGNOR = 'uniform'

function add(assignment: Map<string, Set<number>>, topicId: string, partition: number): void {
  const known = assignment.get(topicId)
  if (known === undefined) assignment.set(topicId, new Set([partition]))
  else known.add(partition)
}

function uniform(
  members: readonly AssignableMember[],
  partitionsOf: ReadonlyMap<string, number>,
): Map<string, Map<string, Set<number>>> {
  const sorted = members.toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1))
  const loads = new Map(
    sorted.map(({ memberId }) => [memberId, [] as (readonly [topicId: string, partition: number])[]]),
  )
  const loadOf = ({ memberId }: AssignableMember): (readonly [topicId: string, partition: number])[] =>
    loads.get(memberId)!
  for (const [topicId, count] of partitionsOf) {
    const subscribed = sorted.filter(({ topicIds }) => topicIds.has(topicId))
    if (subscribed.length === 0) continue
    for (let partition = 0; partition < count; partition++) {
      const owner = subscribed.find(({ target }) => target.get(topicId)?.has(partition) === true)
      loadOf(owner ?? leastLoaded(subscribed, loadOf)).push([topicId, partition])
    }
  }
  // One partition at a time from who has most to who has least, as long as that evens them out.
  for (;;) {
    const move = findMove(sorted, loadOf)
    if (move === undefined) break
    const { from, to, index } = move
    loadOf(to).push(...loadOf(from).splice(index, 1))
  }
  return new Map(
    sorted.map((member) => {
      const assignment = new Map<string, Set<number>>()
      for (const [topicId, partition] of loadOf(member)) add(assignment, topicId, partition)
      return [member.memberId, assignment]
    }),
  )
}

type LoadOf = (member: AssignableMember) => (readonly [topicId: string, partition: number])[]

function leastLoaded(members: readonly AssignableMember[], loadOf: LoadOf): AssignableMember {
  return members.reduce((least, member) => (loadOf(member).length < loadOf(least).length ? member : least))
}

function findMove(
  members: readonly AssignableMember[],
  loadOf: LoadOf,
): { from: AssignableMember; to: AssignableMember; index: number } | undefined {
  const byLoad = members.toSorted((a, b) => loadOf(b).length - loadOf(a).length)
  for (const from of byLoad) {
    const load = loadOf(from)
    for (const to of byLoad.toReversed()) {
      if (load.length - loadOf(to).length < 2) break
      const index = load.findLastIndex(([topicId]) => to.topicIds.has(topicId))
      if (index >= 0) return { from, to, index }
    }
  }
  return undefined
}

function range(
  members: readonly AssignableMember[],
  partitionsOf: ReadonlyMap<string, number>,
): Map<string, Map<string, Set<number>>> {
  // Static members come first.
  const rankOf = ({ instanceId, memberId }: AssignableMember): string =>
    instanceId === null ? `1 ${memberId}` : `0 ${instanceId}`
  const sorted = members.toSorted((a, b) => (rankOf(a) < rankOf(b) ? -1 : 1))
  const assignments = new Map(sorted.map(({ memberId }) => [memberId, new Map<string, Set<number>>()]))
  for (const [topicId, count] of partitionsOf) {
    const subscribed = sorted.filter(({ topicIds }) => topicIds.has(topicId))
    let next = 0
    for (const [i, { memberId }] of subscribed.entries()) {
      const share = Math.floor(count / subscribed.length) + (i < count % subscribed.length ? 1 : 0)
      for (const end = next + share; next < end; next++) add(assignments.get(memberId)!, topicId, next)
    }
  }
  return assignments
}
