/**
 * `http` at the top of a file of any shape: where metrics, health and the dashboard are served while it runs.
 *
 * ```yaml
 * http: 127.0.0.1:9600
 * http: { listen: "0.0.0.0:9600", token: "${MILLRACE_HTTP_TOKEN}" }
 * ```
 */
import type { HttpPlan } from '../engine/plan.ts'
import type { ValueType } from '../options/declaration.ts'
import { field } from '../options/fields.ts'
import { DEFAULT_HTTP_PORT, type HttpAddress, parseHttpAddress } from '../options/http-address.ts'
import { parseOptions } from '../options/parse.ts'
import { isObject } from '../options/values.ts'
import type { OptionProblem } from '../options/declaration.ts'

const address: ValueType<HttpAddress> = {
  expected: 'a port, or an address such as "127.0.0.1:9600"',
  schema: { anyOf: [{ type: 'integer', minimum: 0, maximum: 65_535 }, { type: 'string' }] },
  read(value, report) {
    const found = typeof value === 'number' || typeof value === 'string' ? parseHttpAddress(value) : undefined
    if (found === undefined) report({ expected: this.expected, found: value })
    return found ?? { host: '127.0.0.1', port: DEFAULT_HTTP_PORT }
  },
}

const httpFields = {
  listen: field
    .of(address)
    .doc('Port, or address with port. Without a host, only this machine can connect.')
    .example('127.0.0.1:9600'),
  token: field
    .string()
    .optional()
    .secret()
    .doc('Bearer token that clients must send; `/live`, `/ready` and the files of the dashboard are open without it.'),
  partitionMetrics: field
    .boolean()
    .optional()
    .doc('Whether `/metrics` has metrics by partition. By default if a source has at most 100 partitions.'),
  hideValues: field
    .boolean()
    .default(false)
    .doc(
      'Show nothing of keys, values and headers of records, nor error messages that may quote them: names of fields only.',
    ),
}

export const httpField = field
  .object(httpFields)
  .optional()
  .doc(
    'Where to serve metrics, health and the dashboard while the pipeline runs: a port, an address such as `127.0.0.1:9600`, or an object with `listen`, `token`, `hideValues` and `partitionMetrics`.',
  )

/** A file without its `http`, and what that says. */
export function takeHttp(content: unknown): {
  readonly rest: unknown
  readonly http: readonly HttpPlan[]
  readonly problems: readonly OptionProblem[]
} {
  if (!isObject(content) || !('http' in content)) return { rest: content, http: [], problems: [] }
  const { http: given, ...rest } = content
  const value = isObject(given) ? given : { listen: given }
  const { options, problems } = parseOptions({ options: httpFields }, value, ['http'])
  // Written without `listen`, it is not to be found there.
  const placed = isObject(given) ? problems : problems.map((problem) => ({ ...problem, path: ['http'] }))
  const { listen, token, hideValues, partitionMetrics } = options
  const plan = problems.length > 0 ? [] : [{ ...listen, token, hideValues, partitionMetrics }]
  return { rest, http: plan, problems: placed }
}

/** For editors. */
export const httpSchema = {
  description: httpField.meta.doc,
  anyOf: [
    ...(address.schema['anyOf'] as object[]),
    {
      type: 'object',
      properties: {
        listen: address.schema,
        token: { type: 'string' },
        hideValues: { type: 'boolean' },
        partitionMetrics: { type: 'boolean' },
      },
      required: ['listen'],
      additionalProperties: false,
    },
  ],
}
