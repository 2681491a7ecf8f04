/**
 * How an API is answered. Each file beside this one has the handler of one API; `index.ts` lists them.
 *
 * Handlers read and change the state of the cluster, and know nothing of sockets.
 */
import type { Api, Decoded } from '../../protocol/message.ts'
import type { Operation, ResourceType } from '../security/authorizer.ts'
import type { Session } from '../security/session.ts'
import type { BrokerState } from '../state.ts'

/** What a handler knows of the request beside its content. */
export interface Call {
  readonly version: number
  readonly clientId: string
  /** Address of the client. */
  readonly clientHost: string
  /** The node that was asked. */
  readonly node: number
  readonly broker: BrokerState
  /** Of the connection. */
  readonly session: Session
  /** Whether the client may do something. */
  permits(operation: Operation, type: ResourceType, name: string): boolean
  /** Closes the connection, where there is no answer to report an error in. */
  disconnect(): void
  /** Calls back when the client has gone, until the function that it returns is called. */
  onGone(callback: () => void): () => void
}

export interface Handler<Q, R> {
  readonly api: Api<Q, R>
  /**
   * Answers a request.
   *
   * @returns `undefined` when there is no answer, as with `acks=0`
   */
  handle(request: Decoded<Q>, call: Call): R | undefined | Promise<R | undefined>
  /** The answer that reports an error for everything that was asked. */
  refuse(request: Decoded<Q>, errorCode: number, call: Call): R
  /** The topics, and the group or transactional id, that a request is about; for faults. */
  subjects?(request: Decoded<Q>, call: Call): Subjects
}

/** What a request is about. */
export interface Subjects {
  readonly topics?: readonly { readonly name: string; readonly partitions: readonly number[] }[]
  readonly group?: string
  readonly transactionalId?: string
}
