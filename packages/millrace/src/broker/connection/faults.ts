/**
 * Faults that a test injects: a rule says which requests it applies to, how often, and what happens to them.
 *
 * ```ts
 * broker.on('Produce').topic('orders').times(3).fail('NOT_LEADER_OR_FOLLOWER')
 * broker.on('EndTxn').once().dropAnswer()
 * const held = broker.on('JoinGroup').once().hold()
 * await held.entered
 * held.release()
 * ```
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { ERROR, type ErrorName } from '../../protocol/error-codes.ts'
import type { Call, Handler, Subjects } from '../apis/handler.ts'
import { DISCONNECT } from './connection.ts'

/** What happens instead of `handle()`. */
export type Fault = (handle: () => unknown, refuse: (errorCode: number) => unknown) => Promise<unknown>

/** A request that is held until `release` is called. */
export interface HeldRequest {
  /** Resolves when the first request has come. */
  readonly entered: Promise<void>
  /** Lets everything go that is held, and whatever would be. */
  release(): void
}

interface Scope {
  readonly api: string
  topic?: string
  partition?: number
  group?: string
  node?: number
}

interface Rule {
  readonly scope: Scope
  /** Whether it applies now; asked once for each request in its scope. */
  readonly applies: () => boolean
  readonly fault: Fault
}

export class Faults {
  #rules: Rule[] = []

  add(rule: Rule): void {
    this.#rules.push(rule)
  }

  clear(): void {
    this.#rules = []
  }

  /** The first fault that applies to a request. */
  take(handler: Handler<unknown, unknown>, request: object, call: Call): Fault | undefined {
    if (this.#rules.length === 0) return undefined
    let subjects: Subjects | undefined
    for (const { scope, applies, fault } of this.#rules) {
      if (scope.api !== handler.api.name || (scope.node !== undefined && scope.node !== call.node)) continue
      subjects ??= handler.subjects?.(request, call) ?? {}
      if (isAbout(scope, subjects) && applies()) return fault
    }
    return undefined
  }
}

function isAbout({ topic, partition, group }: Scope, subjects: Subjects): boolean {
  if (group !== undefined && group !== subjects.group && group !== subjects.transactionalId) return false
  if (topic === undefined) return true
  const found = subjects.topics?.filter(({ name }) => name === topic) ?? []
  return found.length > 0 && (partition === undefined || found.some(({ partitions }) => partitions.includes(partition)))
}

/** Says which requests meet a fault, and then which fault; applies to every one until told otherwise. */
export class FaultBuilder {
  readonly #faults: Faults
  readonly #scope: Scope
  #applies: () => boolean = () => true

  /** Programs get one from `broker.on(api)`. */
  constructor(faults: Faults, api: string) {
    this.#faults = faults
    this.#scope = { api }
  }

  /** Only requests about a topic, or one partition of it. */
  topic(topic: string, partition?: number): this {
    this.#scope.topic = topic
    if (partition !== undefined) this.#scope.partition = partition
    return this
  }

  /** Only requests about a group or a transactional id. */
  group(group: string): this {
    this.#scope.group = group
    return this
  }

  /** Only requests that come to a node. */
  node(node: number): this {
    this.#scope.node = node
    return this
  }

  /** Only the next request. */
  once(): this {
    return this.times(1)
  }

  /** Only the next `count` requests. */
  times(count: number): this {
    let left = count
    this.#applies = () => left-- > 0
    return this
  }

  /** Every request; the default. */
  always(): this {
    this.#applies = () => true
    return this
  }

  /**
   * Each request with a probability.
   * @param probability 0 to 1
   * @param seed the same seed chooses the same requests
   */
  withProbability(probability: number, seed: number): this {
    const random = randomOf(seed)
    this.#applies = () => random() < probability
    return this
  }

  /** The request is not handled; everything in it is answered with an error. */
  fail(error: ErrorName): void {
    this.#add(async (_handle, refuse) => refuse(ERROR[error]))
  }

  /** The request is not handled, and the connection is closed. */
  disconnect(): void {
    this.#add(async () => DISCONNECT)
  }

  /** The request is handled, but instead of an answer the client gets its connection closed. */
  dropAnswer(): void {
    this.#add(async (handle) => {
      await handle()
      return DISCONNECT
    })
  }

  /** The request is handled later. */
  delay(milliseconds: number): void {
    this.#add(async (handle) => {
      await sleep(milliseconds)
      return handle()
    })
  }

  /** The request is handled when the test says so. */
  hold(): HeldRequest {
    const entered = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    this.#add(async (handle) => {
      entered.resolve()
      await released.promise
      return handle()
    })
    return { entered: entered.promise, release: () => released.resolve() }
  }

  #add(fault: Fault): void {
    this.#faults.add({ scope: { ...this.#scope }, applies: this.#applies, fault })
  }
}

/** Mulberry32: numbers from 0 to 1, the same ones for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
