/** Sets of partitions, by the id of their topic. */
import type { Partitions } from './assignors.ts'

export const NO_PARTITIONS: Partitions = new Map()

function collect(partitions: Partitions, keeps: (topicId: string, partition: number) => boolean): Partitions {
  const kept = new Map<string, ReadonlySet<number>>()
  for (const [topicId, list] of partitions) {
    const left = new Set([...list].filter((partition) => keeps(topicId, partition)))
    if (left.size > 0) kept.set(topicId, left)
  }
  return kept
}

export function has(partitions: Partitions, topicId: string, partition: number): boolean {
  return partitions.get(topicId)?.has(partition) === true
}

/** What both have. */
export function common(a: Partitions, b: Partitions): Partitions {
  return collect(a, (topicId, partition) => has(b, topicId, partition))
}

/** What `a` has and `b` has not. */
export function without(a: Partitions, b: Partitions): Partitions {
  return collect(a, (topicId, partition) => !has(b, topicId, partition))
}

export function filtered(partitions: Partitions, keeps: (topicId: string, partition: number) => boolean): Partitions {
  return collect(partitions, keeps)
}

export function joined(a: Partitions, b: Partitions): Partitions {
  const all = new Map([...a].map(([topicId, list]) => [topicId, new Set(list)]))
  for (const [topicId, list] of b) all.set(topicId, new Set([...(all.get(topicId) ?? []), ...list]))
  return all
}

export function isEmpty(partitions: Partitions): boolean {
  return partitions.size === 0
}

export function isEqual(a: Partitions, b: Partitions): boolean {
  return isEmpty(without(a, b)) && isEmpty(without(b, a))
}
