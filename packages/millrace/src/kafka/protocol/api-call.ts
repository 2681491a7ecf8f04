/**
 * Requests as the protocol library has them: one function for each version.
 */
import type { Connection } from '@platformatic/kafka'

/** A request of the protocol library in one version: writes the request, reads the response. */
export interface ApiVersion {
  // oxlint-disable-next-line typescript/no-explicit-any -- each version of each request has arguments of its own
  (connection: Connection, ...args: any[]): void
}

/** A request in all versions that we can speak. */
export interface ApiCall {
  /** Kafka's name, for messages. */
  readonly name: string
  readonly key: number
  /** By version number. */
  readonly versions: { readonly [version: number]: ApiVersion }
}
