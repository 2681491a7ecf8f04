/**
 * Where the events of a `KafkaSource` or `KafkaSink` go: to their channels of `node:diagnostics_channel`, to the listeners of the program, and
 * to its logger. What a listener or a logger throws never reaches what reads and writes; it is a warning, or an error of the logger.
 */
import { CHANNELS, publish } from '../../metrics/channels.ts'
import { type Event, eventOf, type EventFacts, type EventName, type Happenings } from '../../metrics/events.ts'
import type { Report } from '../for-watching.ts'
import type { Logger } from './logger.ts'

/** A listener may be asynchronous; nothing waits for it. */
export type Listener<Facts> = (facts: Facts) => unknown

/** What a program may listen to. */
export interface EventSource<Events> {
  /** Calls a function with each event of a name. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): this
  /** Ends that. */
  off<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): this
}

export interface ClientEventsOptions {
  readonly logger?: Logger | undefined
  /** Called with what is of the level `warn`. */
  readonly onWarning?: ((message: string, facts?: EventFacts) => void) | undefined
}

/** What a client has to say of itself, and what it knows then. */
export class ClientEvents<Events extends { readonly warning: unknown }> implements Happenings {
  readonly #kind: 'source' | 'sink'
  readonly #options: ClientEventsOptions
  readonly #listeners = new Map<string, Set<Listener<never>>>()
  readonly #watched: { readonly report: Report } | undefined

  /** @param watched told of what an operator may want to know */
  constructor(kind: 'source' | 'sink', options: ClientEventsOptions, watched?: { readonly report: Report }) {
    this.#kind = kind
    this.#options = options
    this.#watched = watched
  }

  on<Name extends keyof Events & string>(name: Name, listener: Listener<Events[Name]>): void {
    const known = this.#listeners.get(name)
    if (known === undefined) this.#listeners.set(name, new Set([listener]))
    else known.add(listener)
  }

  off<Name extends keyof Events & string>(name: Name, listener: Listener<Events[Name]>): void {
    this.#listeners.get(name)?.delete(listener)
    if (this.#listeners.get(name)?.size === 0) this.#listeners.delete(name)
  }

  hears(event: EventName): boolean {
    if (CHANNELS[event].hasSubscribers) return true
    const declared = eventOf(event)
    if (this.#listeners.size > 0) {
      const name = declared[this.#kind]
      if (name !== undefined && this.#listeners.has(name)) return true
    }
    return declared.level !== 'debug' || (this.#options.logger !== undefined && this.#logsDebug)
  }

  /** Facts that name no event are a warning. @throws what `onWarning` throws */
  readonly report = (message: string, facts: EventFacts = {}): void => {
    const event = facts.event ?? 'warning'
    const declared = eventOf(event)
    publish(event, message, facts)
    this.#log(declared.level, message, { ...facts, event })
    if (declared.level !== 'debug') this.#watched?.report(declared.level, message, { ...facts, event })
    const name = declared[this.#kind]
    if (name !== undefined) this.#call(name, facts)
    if (declared.level !== 'warn') return
    this.#call('warning', { ...facts, event, message })
    this.#options.onWarning?.(message, facts)
  }

  get #logsDebug(): boolean {
    const { logger } = this.#options
    try {
      return logger?.isLevelEnabled?.('debug') === true
    } catch {
      return false
    }
  }

  #log(level: Event['level'], message: string, facts: object): void {
    if (level === 'debug' && !this.#logsDebug) return
    try {
      this.#options.logger?.[level](facts, message)
    } catch {
      // There is nothing else to which it could be reported.
    }
  }

  #call(name: string, facts: object): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        const result = (listener as Listener<object>)(facts)
        if (result instanceof Promise) result.catch((error: unknown) => this.#failed(name, error))
      } catch (error) {
        this.#failed(name, error)
      }
    }
  }

  #failed(name: string, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error)
    const message = `A listener of the event "${name}" failed: ${text}`
    this.#log('error', message, { event: 'warning' })
    publish('warning', message, {})
  }
}
