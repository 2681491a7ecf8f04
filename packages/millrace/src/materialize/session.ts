/**
 * A session: handles the requests of a runtime one after the other, by the table of `transitions.ts`.
 */
import { ProtocolViolationError } from '../errors/index.ts'
import { apply } from './apply.ts'
import type { Logs } from './logs.ts'
import type { RequestKind, Response } from './messages.ts'
import { openTransactor } from './open.ts'
import { SPEC } from './spec.ts'
import type { Transactor } from './transactor.ts'
import { expectedIn, type SessionEvent, type State, TRANSITIONS } from './transitions.ts'
import { validate } from './validate.ts'
import type { StoredDocument } from './wire/stored-document.ts'

/** Where a session reads the content of requests from. */
export interface RequestContent {
  read(): object
  readStore(): StoredDocument
}

export class Session {
  readonly #logs: Logs
  readonly #respond: (response: Response) => Promise<void>
  #state: State = 'unopened'
  #transactor: Transactor | undefined

  /** @param respond writes a response, and waits until it is written */
  constructor(logs: Logs, respond: (response: Response) => Promise<void>) {
    this.#logs = logs
    this.#respond = respond
  }

  get state(): State {
    return this.#state
  }

  /**
   * Handles one request and writes its response.
   * @returns undefined when there is nothing to wait for, as for each document that is stored
   * @throws {MillraceError} the session is over then
   */
  handle(event: SessionEvent, request: RequestContent): Promise<void> | undefined {
    const next = TRANSITIONS[this.#state][event]
    if (next === 'refuse') throw this.#refusal(event)
    if (next === 'ignore') {
      if (event === 'unknown') this.#logs.debug('ignoring a request of unknown kind')
      return undefined
    }
    if (event === 'store') {
      this.#transactor!.store(request.readStore())
      return undefined
    }
    return this.#answer(event, request, next)
  }

  async #answer(event: SessionEvent, request: RequestContent, next: State): Promise<void> {
    await this.#respond(await this.#responseTo(event as RequestKind, request.read()))
    if (event === 'open') await this.#transactor!.prepare()
    this.#state = next
  }

  async #responseTo(kind: RequestKind, request: object): Promise<Response> {
    switch (kind) {
      case 'spec':
        return { spec: SPEC }
      case 'validate':
        return validate(request)
      case 'apply':
        return apply(request)
      case 'open':
        this.#transactor = await openTransactor(request)
        return { opened: {} }
      case 'flush':
        return { flushed: {} }
      case 'startCommit':
        await this.#transactor!.commit()
        this.#logs.debug('all documents of the transaction are acknowledged', { stored: this.#transactor!.stored })
        return { startedCommit: {} }
      case 'acknowledge':
        return { acknowledged: {} }
      case 'load':
      case 'store':
        throw new ProtocolViolationError(`Cannot answer a ${kind} request`)
    }
  }

  /** After each stretch of input: what was stored is passed on, and reading waits while too much is not acknowledged. */
  pause(): Promise<void> | undefined {
    return this.#state === 'storing' ? this.#transactor!.pause() : undefined
  }

  async close(): Promise<void> {
    await this.#transactor?.close()
  }

  #refusal(event: SessionEvent): ProtocolViolationError {
    const expected = expectedIn(this.#state).join('|')
    const received = event === 'unknown' ? 'a request of unknown kind' : event
    if (this.#state === 'unopened')
      return new ProtocolViolationError(`invalid request, expected ${expected}: received ${received}`)
    return new ProtocolViolationError(
      `Cannot handle the request while ${this.#state}, expected ${expected}: received ${received}`,
    )
  }
}
