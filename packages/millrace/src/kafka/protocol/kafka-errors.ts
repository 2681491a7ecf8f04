/** Kafka's error codes as errors of Millrace. */
import { BrokerError, type BrokerErrorDetails } from '../../errors/index.ts'
import { ERROR, type ErrorName } from '../../protocol/error-codes.ts'
import { ERROR_TEXTS, RETRIABLE } from './error-texts.ts'

const names = new Map<number, ErrorName>(
  Object.entries(ERROR).map(([name, code]) => [code, name as ErrorName]), // `entries` forgets which names there are
)

/** Name of a code, for instance `NOT_LEADER_OR_FOLLOWER` for 6. */
export function kafkaErrorName(code: number): string {
  return names.get(code) ?? `UNKNOWN_CODE_${code}`
}

/** Whether Kafka's table says that the same request may succeed later. */
export function isRetriableCode(code: number): boolean {
  return RETRIABLE.has(kafkaErrorName(code))
}

/** What to grant, where the caller does not say it better. */
const GRANTS: { readonly [kafkaName: string]: string } = {
  TOPIC_AUTHORIZATION_FAILED: 'READ to read, or WRITE to write, on the topic',
  GROUP_AUTHORIZATION_FAILED: 'READ on the group',
  CLUSTER_AUTHORIZATION_FAILED: 'IDEMPOTENT_WRITE to write, or CREATE to create topics, on the cluster',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'WRITE and DESCRIBE on the transactional id',
}

/**
 * An error for a code that a broker answered with.
 *
 * @param action what was tried, for instance `Cannot join group "g"`
 * @param details code: `NOT_AUTHORIZED` for a lack of permission; grant: the permission that it takes, for instance `READ on group "g"`
 */
export function brokerError(
  code: number,
  action: string,
  { grant, ...details }: Partial<BrokerErrorDetails> & { readonly grant?: string } = {},
): BrokerError {
  const name = kafkaErrorName(code)
  const permission = name in GRANTS ? (grant ?? GRANTS[name]) : undefined
  if (permission !== undefined)
    return new BrokerError(`${action}: ${name}: grant ${permission} to the principal of this client`, {
      ...details,
      code: 'NOT_AUTHORIZED',
      kafkaCode: code,
      kafkaName: name,
      retriable: false,
    })
  const text = ERROR_TEXTS[name as ErrorName] ?? 'the broker gave no details'
  return new BrokerError(`${action}: ${name} (${text})`, {
    ...details,
    kafkaCode: code,
    kafkaName: name,
    retriable: details.retriable ?? isRetriableCode(code),
  })
}
