/**
 * `delivery` of stage graphs: the same as in other files, for each of the sources and sinks of a graph, and what stages
 * between them may do.
 */
import type { Delivery } from '../../contracts/context.ts'
import { NO_ENDPOINTS } from '../../contracts/definitions.ts'
import type { FunctionDefinition } from '../../contracts/functions.ts'
import type { PlannedComponent, ErrorPolicy } from '../../engine/plan.ts'
import type { ConfigProblem } from '../../errors/index.ts'
import { findFunctions } from '../../functions/index.ts'
import type { Fields, OptionProblem, Options } from '../../options/declaration.ts'
import { nameTable, spellings, writtenName } from '../../options/spellings.ts'
import { isObject } from '../../options/values.ts'
import { fileProblems } from '../files.ts'
import { letterLoop, sharedTopic } from '../loops.ts'
import { deliveryFields, deliveryProblems, fanoutProblems } from '../delivery.ts'
import { toConfigProblem } from '../problems.ts'
import type { PlacedNode } from './order.ts'

/** Names of `delivery` and of the time between commits, which may also stand at the top, as in other files. */
export const DELIVERY_NAMES = Object.entries(deliveryFields).flatMap(([name, field]) => spellings(name, field))

/** What stands at the top of a file. */
export function atTop(content: { readonly [name: string]: unknown }): { readonly [name: string]: unknown } {
  return Object.fromEntries(Object.entries(content).filter(([name]) => DELIVERY_NAMES.includes(name)))
}

type DeliveryOptions = Options<typeof deliveryFields>

/** What `[global]` says, or the top of the file. */
export function chosen(
  content: { readonly [name: string]: unknown },
  settings: DeliveryOptions,
  above: DeliveryOptions,
  problems: ConfigProblem[],
): DeliveryOptions {
  const isAbove = (name: keyof typeof deliveryFields): boolean =>
    writtenName(name, deliveryFields[name], content) !== undefined
  const global = isObject(content['global']) ? content['global'] : {}
  for (const name of Object.keys(deliveryFields) as (keyof typeof deliveryFields)[])
    if (isAbove(name) && writtenName(name, deliveryFields[name], global) !== undefined)
      problems.push({
        path: name,
        message: `Cannot use both ${name} and global.${name} as they set the same thing`,
        suggestion: 'delete one',
      })
  return {
    delivery: isAbove('delivery') ? above.delivery : settings.delivery,
    commitInterval: isAbove('commitInterval') ? above.commitInterval : settings.commitInterval,
  }
}

/** How to reach the brokers of a producer, or of a consumer where there is none. */
export function connectionOf(nodes: readonly PlacedNode[]): PlacedNode['options'] | undefined {
  const connected = nodes.filter(({ endpoints }) => endpoints.brokers.length > 0)
  const node = connected.find(({ kind }) => kind === 'sink') ?? connected[0]
  return node && componentOf(node).options
}

export interface Promised {
  readonly nodes: readonly PlacedNode[]
  readonly delivery: Delivery
  readonly errorPolicy: ErrorPolicy
  readonly commitInterval: number
  /** The stages as they are written, by which problems find their place. */
  readonly stages: readonly unknown[]
}

/** Why the guarantee cannot hold in a graph. */
export function graphDeliveryProblems({ nodes, stages, commitInterval, ...promised }: Promised): ConfigProblem[] {
  const [source, ...others] = nodes.filter(({ kind }) => kind === 'source')
  const [sink, ...more] = nodes.filter(({ kind }) => kind === 'sink')
  if (source === undefined) return []
  const problems: ConfigProblem[] = []
  const place = (node: PlacedNode) => (problem: OptionProblem) => {
    problems.push(placed(problem, node, stages))
  }
  const { delivery, errorPolicy } = promised
  const plan = {
    ...promised,
    commitIntervalMs: commitInterval,
    source: componentOf(source),
    sink: componentOf(sink ?? source),
  }
  for (const { path, ...problem } of deliveryProblems(plan)) {
    if (path[0] === 'errorPolicy') problems.push(toConfigProblem({ ...problem, path: [LETTERS] }))
    else if (path[0] === 'source') place(source)({ path, ...problem })
    else if (sink !== undefined) place(sink)({ path, ...problem })
  }
  for (const each of more) fanoutProblems(plan, componentOf(each)).forEach(place(each))
  for (const other of others)
    deliveryProblems({ ...plan, source: componentOf(other) })
      .filter(({ path }) => path[0] === 'source')
      .forEach(place(other))
  if (delivery === 'exactly_once') problems.push(...onceProblems(nodes, source, others, sink))
  const letters = errorPolicy.deadLetters?.sink.endpoints ?? NO_ENDPOINTS
  const loop = [source, ...others].flatMap(({ endpoints }) => letterLoop(endpoints, letters) ?? [])[0]
  if (loop !== undefined) problems.push({ path: LETTERS, ...loop })
  if (errorPolicy.deadLetters !== undefined)
    for (const each of [source, ...others])
      for (const problem of fileProblems(errorPolicy.deadLetters.sink, {
        source: componentOf(each),
        directory: process.cwd(),
      }))
        problems.push({ ...toConfigProblem({ ...problem, path: [LETTERS] }) })
  return problems
}

/** Producers whose rows a consumer of the same graph reads, which may be meant: a filter in between can end it. */
export function circleWarnings(nodes: readonly PlacedNode[]): ConfigProblem[] {
  const sources = nodes.filter(({ kind }) => kind === 'source')
  return nodes
    .filter(({ kind }) => kind === 'sink')
    .flatMap((sink) => {
      const source = sources.find(({ endpoints }) => sharedTopic(sink.endpoints, endpoints) !== undefined)
      if (source === undefined) return []
      return {
        path: `${sink.path}.config.topic`,
        message: `Stage "${sink.id}" writes to topic "${sharedTopic(sink.endpoints, source.endpoints)}", which stage "${source.id}" reads: everything written is read again`,
        suggestion: 'use another topic',
      }
    })
}

const LETTERS = 'error_handling.dead_letter_queue'

/** What one transaction with one consumer's offsets cannot do. */
function onceProblems(
  nodes: readonly PlacedNode[],
  source: PlacedNode,
  others: readonly PlacedNode[],
  sink: PlacedNode | undefined,
): ConfigProblem[] {
  const problems: ConfigProblem[] = others.map(({ id, path }) => ({
    path,
    message: `Cannot promise exactly_once with more than one source as a transaction commits the offsets of one consumer: there are "${source.id}" and "${id}"`,
    suggestion: 'read several topics with one consumer, as in topic = "a,b", or use at_least_once',
  }))
  if (sink === undefined)
    problems.push({
      path: 'stages',
      message: 'Cannot promise exactly_once without a sink as the transactions of its producer commit the offsets',
      suggestion: 'add a stage with function = "kafka" and inputs',
    })
  for (const { id, kind, function: name, options, path } of nodes) {
    const definition = definitionOf({ kind, function: name })
    if (definition?.kind === 'transform' && definition.keepsRowsBack?.(options) === true)
      problems.push({
        path: `${path}.function`,
        message: `Cannot promise exactly_once with "${name}" as stage "${id}" holds rows back, and the results of a record must be in one transaction with its offset`,
        suggestion: 'use at_least_once, or do that in another pipeline, which reads the topic that this one writes',
      })
  }
  return problems
}

/** As other shapes have it. */
function componentOf(node: PlacedNode): PlannedComponent {
  const { function: component, options, endpoints } = node
  return { component, options: definitionOf(node)?.asComponent?.(options) ?? options, endpoints }
}

/** Finds where an option is written, and as it is spelled there; a problem without one is with the function. */
function placed(
  { path: [, name], ...problem }: OptionProblem,
  node: PlacedNode,
  stages: readonly unknown[],
): ConfigProblem {
  const stage = stages[Number(node.path.split('.')[1])]
  const fields: Fields = definitionOf(node)?.options ?? {}
  const option = nameTable(fields).get(String(name))
  if (!isObject(stage) || option === undefined) return toConfigProblem({ ...problem, path: [node.path, 'function'] })
  const config = isObject(stage['config']) ? stage['config'] : {}
  const spelling = writtenName(option, fields[option]!, config)
  return toConfigProblem({ ...problem, path: [node.path, 'config', ...(spelling === undefined ? [] : [spelling])] })
}

export function definitionOf({
  kind,
  function: name,
}: Pick<PlacedNode, 'kind' | 'function'>): FunctionDefinition | undefined {
  return findFunctions(name).find((definition) => definition.kind === kind)
}
