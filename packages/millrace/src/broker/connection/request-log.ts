import type { ApiName } from '../../protocol/api-index.ts'
import type { Call } from '../apis/handler.ts'

const KEPT = 10_000

/** A request that the broker got. */
export interface LoggedRequest {
  /** Name of the request, such as `Fetch`. */
  readonly api: ApiName
  /** Version of the request. */
  readonly version: number
  /** `client.id` of the client. */
  readonly clientId: string
  /** Id of the node that it was sent to. */
  readonly node: number
}

/** The last requests, for tests that ask what a client did. */
export class RequestLog {
  #list: LoggedRequest[] = []

  add(api: string, { version, clientId, node }: Call): void {
    // Every name of a handler is one of an API.
    this.#list.push({ api: api as ApiName, version, clientId, node })
    if (this.#list.length > 2 * KEPT) this.#list = this.#list.slice(-KEPT)
  }

  /** Oldest first. */
  all(): LoggedRequest[] {
    return this.#list.slice(-KEPT)
  }
}
