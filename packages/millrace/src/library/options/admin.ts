/** Written by `npm run docs` from the declarations of the options: change those. */
import type { InputOptions } from '../../options/declaration.ts'
import type { ADMIN_FIELDS } from '../../kafka/properties/admin-fields.ts'
import type { SharedNames } from './shared.ts'

type Input = InputOptions<typeof ADMIN_FIELDS>

/** Options of an `Admin` under all their names: in camelCase, and as Kafka spells them. */
export interface AdminNames extends SharedNames {
  /** How long to wait for the response of a broker. Default: `30000`. */
  readonly requestTimeoutMs?: Input['requestTimeoutMs'] | string | undefined
  /** The same as `requestTimeoutMs`. How long to wait for the response of a broker. Default: `30000`. */
  readonly 'request.timeout.ms'?: Input['requestTimeoutMs'] | string | undefined
  /** First wait before a failed request is retried; doubles each time. Default: `100`. */
  readonly retryBackoffMs?: Input['retryBackoffMs'] | string | undefined
  /** The same as `retryBackoffMs`. First wait before a failed request is retried; doubles each time. Default: `100`. */
  readonly 'retry.backoff.ms'?: Input['retryBackoffMs'] | string | undefined
  /** How long to keep trying before an operation fails. Default: `60000`. */
  readonly apiTimeoutMs?: Input['apiTimeoutMs'] | string | undefined
  /** The same as `apiTimeoutMs`. How long to keep trying before an operation fails. Default: `60000`. */
  readonly 'default.api.timeout.ms'?: Input['apiTimeoutMs'] | string | undefined
  /** Has no effect: requests go to brokers, which forward them to a controller. */
  readonly 'bootstrap.controllers'?: unknown
  /** Has no effect: requests are retried until default.api.timeout.ms has passed. */
  readonly retries?: unknown
}
