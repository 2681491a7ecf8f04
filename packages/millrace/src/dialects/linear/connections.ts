/**
 * Named connections: options that a source or sink takes over with `connectionRef`.
 *
 * ```yaml
 * connections:
 *   - { connectionRef: main, config: { type: kafka, bootstrapServers: "localhost:9092" } }
 * source: { connectionRef: main, topic: orders }
 * ```
 */
import type { ConfigProblem } from '../../errors/index.ts'
import type { Options } from '../../options/declaration.ts'
import { field } from '../../options/fields.ts'
import { parseOptions } from '../../options/parse.ts'
import { didYouMean } from '../../options/suggest.ts'
import { describeValue, isObject } from '../../options/values.ts'
import { toConfigProblem, type ReportProblem } from '../problems.ts'

export const connectionFields = {
  connectionRef: field.string().doc('Name of the connection.').example('main'),
  connectorId: field
    .string()
    .optional()
    .doc('Name of its template. Accepted without effect: connections need no templates.'),
  scope: field
    .object({
      tenantId: field.string().default('default').doc('Tenant that may use it.'),
      pipelineId: field.string().default('default').doc('Pipeline that may use it.'),
    })
    .optional()
    .doc('Scope in which it can be used, selected by `connectionScope`.'),
  config: field
    .map(field.any())
    .doc('`type` and options.')
    .example({ type: 'kafka', bootstrapServers: 'localhost:9092' }),
}

export interface Connection extends Options<typeof connectionFields> {
  readonly place: readonly (string | number)[]
}

export function readConnections(value: unknown, problems: ConfigProblem[]): readonly Connection[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) {
    problems.push({
      path: 'connections',
      message: `Cannot read connections as it must be a list, or the path of a file of them: found ${describeValue(value)}`,
      suggestion: 'write - {connectionRef: main, config: {...}}',
    })
    return []
  }
  return value.flatMap((item: unknown, i) => {
    const parsed = parseOptions({ options: connectionFields }, item, ['connections', i])
    problems.push(...parsed.problems.map(toConfigProblem))
    return parsed.problems.length > 0 ? [] : [{ ...parsed.options, place: ['connections', i] }]
  })
}

/** A block together with what its connection says. */
export interface ConnectedBlock {
  readonly block: { readonly [name: string]: unknown }
  /** Where an option comes from, by its name: a place in the connection; undefined when it is of the block itself. */
  readonly placeOf: (option: string) => readonly (string | number)[] | undefined
}

/** A source or sink block with the options of its connection; those of the block win. Undefined when there is none of its name. */
export function withConnection(
  block: { readonly [name: string]: unknown },
  place: readonly (string | number)[],
  connections: readonly Connection[],
  report: ReportProblem,
): ConnectedBlock | undefined {
  const { connectionRef: name, connectionScope: scope = 'default::default', ...rest } = block
  if (name === undefined) return { block, placeOf: () => undefined }
  const isWanted = ({ connectionRef, scope: own }: Connection): boolean =>
    connectionRef === name && `${own?.tenantId ?? 'default'}::${own?.pipelineId ?? 'default'}` === scope
  const connection = connections.find(isWanted)
  if (connection === undefined) {
    const names = connections.map(({ connectionRef }) => connectionRef)
    const message = `Unknown connection ${describeValue(name)} in scope ${describeValue(scope)}`
    const suggestion = (typeof name === 'string' ? didYouMean(name, names) : undefined) ?? 'add it under connections'
    report({ path: [...place, 'connectionRef'], message, suggestion })
    return undefined
  }
  const { type, ...config } = connection.config
  const { options } = rest
  const own = isObject(options) ? { ...rest, ...options } : rest
  const placeOf: ConnectedBlock['placeOf'] = (option) =>
    option in connection.config && !(option in own) ? [...connection.place, 'config', option] : undefined
  if (isObject(options)) return { block: { type, ...rest, options: { ...config, ...options } }, placeOf }
  return { block: { type, ...config, ...rest }, placeOf }
}
