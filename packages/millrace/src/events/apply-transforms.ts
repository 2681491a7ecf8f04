/** What transforms do to events; `transforms.ts` says how files write them. */
import { equalsText } from '../records/exact-numbers.ts'
import { ENVELOPE_FIELDS, type HubEvent } from './envelope.ts'
import type { Transform } from './transforms.ts'

/** Changes an event in place. @returns false when it is filtered out */
export function applyTransforms(event: HubEvent, transforms: readonly Transform[]): boolean {
  for (const { type, config } of transforms) {
    if (type === 'filter') {
      const value = get(event, pathOf(config.field))
      if (value === undefined || !equalsText(value, config.equals)) return false
    } else if (type === 'remove_field') {
      remove(event, pathOf(config.field))
    } else if (type === 'add_field') {
      set(event, pathOf(config.field), config.value)
    } else {
      const from = pathOf(config.from)
      const value = get(event, from)
      if (value === undefined) continue
      remove(event, from)
      set(event, pathOf(config.to), value)
    }
  }
  return true
}

type Container = { [name: string]: unknown }

function pathOf(text: string): readonly string[] {
  const names = text.split('.')
  return ENVELOPE_FIELDS.has(names[0]!) ? names : ['data', ...names]
}

/** Object that holds the last name of a path; undefined when something on the way is not an object. */
function parentOf(event: HubEvent, path: readonly string[], makeMissing: boolean): Container | undefined {
  let parent: Container = event
  for (const part of path.slice(0, -1)) {
    const child = Object.hasOwn(parent, part) ? parent[part] : undefined
    if (isContainer(child)) parent = child
    else if (makeMissing && child === undefined) parent = define(parent, part, {}) as Container
    else return undefined
  }
  return parent
}

function get(event: HubEvent, path: readonly string[]): unknown {
  const parent = parentOf(event, path, false)
  const last = path.at(-1)!
  return parent !== undefined && Object.hasOwn(parent, last) ? parent[last] : undefined
}

function set(event: HubEvent, path: readonly string[], value: unknown): void {
  const parent = parentOf(event, path, true)
  if (parent !== undefined) define(parent, path.at(-1)!, value)
}

function remove(event: HubEvent, path: readonly string[]): void {
  const parent = parentOf(event, path, false)
  if (parent !== undefined) delete parent[path.at(-1)!]
}

/** Plain assignment would give `__proto__` a meaning of its own. */
function define(parent: Container, part: string, value: unknown): unknown {
  Object.defineProperty(parent, part, { value, writable: true, enumerable: true, configurable: true })
  return value
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
