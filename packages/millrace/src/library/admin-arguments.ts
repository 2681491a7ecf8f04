/**
 * What `Admin` checks before it asks the cluster. Plain JavaScript passes anything, and a request without a name makes a broker
 * close the connection, which looks like a fault of security.
 */
import { ConfigError } from '../errors/index.ts'
import type { NewTopic } from '../kafka/admin/contract.ts'

/** @throws {ConfigError} */
export function checkNames(names: readonly unknown[], action: string): void {
  if (!Array.isArray(names)) throw new ConfigError(`${action}: expected a list of names, got ${shown(names)}`)
  const wrong = names.findIndex((name) => typeof name !== 'string' || name === '')
  if (wrong >= 0) throw new ConfigError(`${action}: name ${wrong + 1} of the list is ${shown(names[wrong])}`)
}

/** @throws {ConfigError} */
export function checkNewTopics(topics: readonly NewTopic[]): void {
  const action = 'Cannot create topics'
  if (!Array.isArray(topics)) throw new ConfigError(`${action}: expected a list of { name, partitions? }`)
  for (const [i, topic] of topics.entries() as Iterable<[number, { readonly [option: string]: unknown } | null]>) {
    const { name, partitions, replicationFactor } = topic ?? {}
    if (typeof name !== 'string' || name === '')
      throw new ConfigError(
        `${action}: entry ${i + 1} has no name${topic?.['topic'] === undefined ? '' : '; write { name } in place of { topic }'}`,
      )
    for (const [option, count] of Object.entries({ partitions, replicationFactor }))
      if (count !== undefined && !(Number.isSafeInteger(count) && Number(count) > 0))
        throw new ConfigError(`${action}: ${option} of "${name}" is ${shown(count)}; it must be a whole number from 1`)
  }
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : String(value)
}
