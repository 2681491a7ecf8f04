/**
 * Makes the stages of a graph, and tells each what those around it look at: whether values have to be parsed, and whether
 * anybody wants to know where a record came from.
 */
import type { FunctionContext, FunctionDefinition } from '../../contracts/functions.ts'
import type { Sink } from '../../contracts/sink.ts'
import type { Source } from '../../contracts/source.ts'
import type { Transform } from '../../contracts/stage.ts'
import { Counters, type Meter } from '../../metrics/counters.ts'
import { retries, triesAgain } from '../delivery.ts'
import { observeSink, observeSource } from '../watching/observed.ts'
import { ReadingTime } from '../watching/part-times.ts'
import { StageTimer } from '../watching/stage-timer.ts'
import type { Components, RunOptions } from '../plan.ts'
import type { GraphPlan, PlannedNode } from './plan.ts'

interface Linked {
  readonly id: string
  readonly plan: PlannedNode
  readonly meter: Meter
  /** Who takes its rows. */
  readonly followers: Node[]
  /** Inputs that have not ended. */
  openInputs: number
}
export interface SourceNode extends Linked {
  readonly kind: 'source'
  readonly source: Source
  /** Counts how long it reads and decodes. */
  readonly reading: ReadingTime
}
export interface TransformNode extends Linked {
  readonly kind: 'transform'
  readonly transform: Transform
  readonly timer: StageTimer
}
export interface SinkNode extends Linked {
  readonly kind: 'sink'
  readonly sink: Sink
}
export type Node = SourceNode | TransformNode | SinkNode

/** What a stage says about itself before it is made. */
interface Known {
  readonly plan: PlannedNode
  readonly definition: FunctionDefinition
  readonly inputs: Known[]
  readonly followers: Known[]
}

type RunSubPipeline = FunctionContext['run']

/**
 * The stages in the order of the plan, linked, none of them opened. With `exactly_once` all sinks join the transactions of
 * the last one, which must be opened before them.
 * @throws {ConfigError} when one cannot be made
 */
export async function makeNodes(
  plan: GraphPlan,
  components: Components,
  run: Pick<RunOptions, 'untilEnd' | 'warn' | 'inform' | 'preview' | 'metrics'>,
  runSubPipeline: RunSubPipeline,
): Promise<Node[]> {
  const known = await look(plan, components)
  const nodes = new Map<string, Node>()
  const meter = (run.metrics ?? new Counters()).meter({ pipeline: plan.name })
  const isTransactional = plan.delivery === 'exactly_once'
  /** What each node and those behind it look at in a value. */
  const looks = new Map<Node, LooksAt>()
  /** Whose transactions all other sinks join. */
  let owner: SinkNode | undefined
  // From the last to the first, as a source has to know what those behind it need.
  for (const one of known.toReversed()) {
    const { id, inputs } = one.plan
    const followers = one.followers.map((follower) => nodes.get(follower.plan.id)!)
    const behindIt = together(followers.map((follower) => looks.get(follower)!))
    const metrics = meter.with({ stage: id, component: one.plan.function })
    const context: FunctionContext = {
      pipeline: plan.name,
      directory: plan.directory,
      folders: plan.folders,
      untilEnd: run.untilEnd,
      warn: run.warn,
      inform: run.inform,
      metrics,
      preview: run.preview,
      // Those who only look commit nothing.
      delivery: run.preview === undefined ? plan.delivery : 'at_least_once',
      // Sinks ask for it when they open: sources are made last.
      get member() {
        const source = [...nodes.values()].find((node) => node.kind === 'source' && node.source.offsets !== undefined)
        return source?.kind === 'source' ? source.source.offsets?.member : undefined
      },
      triesAgain: triesAgain(plan),
      retries: retries(plan),
      joins: isTransactional ? owner?.sink : undefined,
      stage: id,
      needsDocuments: behindIt !== 'nothing',
      fields: typeof behindIt === 'string' ? undefined : behindIt,
      needsOrigin: behind(one).some(looksAtOrigin),
      hasOrigin: before(one).some((other) => knowsOrigin(other) && behind(other).some(looksAtOrigin)),
      collectsFailures: plan.errorPolicy.fate !== 'fail',
      formats: new Set(before(one).flatMap(formatOf)),
      sources: () =>
        before(one).flatMap((other) => {
          const node = nodes.get(other.plan.id)
          return node?.kind === 'source' ? [node.source] : []
        }),
      made: new Set(before(one).flatMap(({ plan: { options }, definition }) => definition.made?.(options) ?? [])),
      isWindowed: before(one).some(
        (other) => other.plan.function === 'window.apply' || (!run.untilEnd && isEndless(other)),
      ),
      run: runSubPipeline,
    }
    const node = await make(one, context, { id, plan: one.plan, meter: metrics, followers, openInputs: inputs.length })
    if (node.kind === 'source') observeSource(metrics, node.source)
    if (node.kind === 'sink') {
      observeSink(metrics, node.sink)
      owner ??= node
    }
    looks.set(node, together([looksAt(node), behindIt]))
    nodes.set(id, node)
  }
  return known.map(({ plan: { id } }) => nodes.get(id)!)
}

function formatOf({ definition, plan: { options } }: Known): readonly string[] {
  return definition.kind === 'source' ? [definition.valueFormat?.(options) ?? 'json'] : []
}

function isEndless({ definition, plan: { options } }: Known): boolean {
  return definition.kind === 'source' && definition.isEndless?.(options) === true
}

async function make({ definition, plan: { options } }: Known, context: FunctionContext, linked: Linked): Promise<Node> {
  switch (definition.kind) {
    case 'source':
      return {
        ...linked,
        kind: 'source',
        source: await definition.create(options, context),
        reading: new ReadingTime(),
      }
    case 'transform':
      return {
        ...linked,
        kind: 'transform',
        transform: await definition.create(options, context),
        timer: new StageTimer(linked.meter),
      }
    case 'sink':
      return { ...linked, kind: 'sink', sink: await definition.create(options, context) }
  }
}

async function look(plan: GraphPlan, components: Components): Promise<Known[]> {
  const known = new Map<string, Known>()
  for (const node of plan.nodes) {
    const inputs = node.inputs.map((id) => known.get(id)!)
    const one: Known = {
      plan: node,
      definition: await components.function(node.kind, node.function),
      inputs,
      followers: [],
    }
    for (const input of inputs) input.followers.push(one)
    known.set(node.id, one)
  }
  return [...known.values()]
}

/** Whether what a node gives still gets anywhere: it does not where every way leads to a stage that lets nothing more through. */
export function isTaken(node: Node): boolean {
  return givesAway(node, new Set())
}

/** @param tried those whose ways lead nowhere: branches that meet again and again make more ways than can be gone */
function givesAway({ followers }: Node, tried: Set<Node>): boolean {
  return followers.length === 0 || followers.some((follower) => takesMore(follower, tried))
}

function takesMore(node: Node, tried: Set<Node>): boolean {
  if (node.kind === 'sink') return true
  if (tried.has(node)) return false
  tried.add(node)
  return (node.kind !== 'transform' || node.transform.exhausted !== true) && givesAway(node, tried)
}

/** All that takes what a node passes on, and what is made of that. */
export function allBehind(node: Node): readonly Node[] {
  return reached(node, ({ followers }) => followers)
}

/** What is looked at in a value: a list names fields of the outermost object. */
type LooksAt = 'nothing' | readonly string[] | 'everything'

function looksAt(node: Node): LooksAt {
  if (node.kind === 'source') return 'nothing'
  if (node.kind === 'sink') return node.sink.needsDocuments ? (node.sink.fields ?? 'everything') : 'nothing'
  const { needs, fields } = node.transform
  return needs === 'documents' ? 'everything' : needs === 'fields' ? (fields ?? 'everything') : 'nothing'
}

function together(all: readonly LooksAt[]): LooksAt {
  if (all.includes('everything')) return 'everything'
  const some = all.filter((one) => typeof one !== 'string')
  return some.length === 0 ? 'nothing' : [...new Set(some.flat())]
}

function behind(node: Known): readonly Known[] {
  return reached(node, ({ followers }) => followers)
}

function before(node: Known): readonly Known[] {
  return reached(node, ({ inputs }) => inputs)
}

/** Every node once, however many ways lead to it. */
function reached<T>(start: T, next: (node: T) => readonly T[]): readonly T[] {
  const found = new Set(next(start))
  for (const node of found) for (const further of next(node)) found.add(further) // what is added is iterated, too
  return [...found]
}

function knowsOrigin({ definition }: Known): boolean {
  return definition.kind === 'source' && definition.knowsOrigin === true
}

/** Whether a stage asks for the columns that say where a record came from, by name or together with all others. */
function looksAtOrigin({ plan: { options }, definition }: Known): boolean {
  return definition.seesAllColumns?.(options) === true || JSON.stringify(options).includes('_kafka_')
}
