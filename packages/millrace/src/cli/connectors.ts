/**
 * The connectors of a pipeline file, whatever its shape: what `millrace check` looks at.
 */
import { catalog } from '../catalog.ts'
import type { ComponentContext } from '../contracts/context.ts'
import type { Sink } from '../contracts/sink.ts'
import type { Source } from '../contracts/source.ts'
import { makeNodes } from '../engine/graph/nodes.ts'
import type { GraphPlan } from '../engine/graph/plan.ts'
import { UNSEEN_METER } from '../metrics/counters.ts'
import { allSinksOf, type PipelineGroup, type PipelinePlan, type PlannedComponent } from '../engine/plan.ts'

export interface Connector {
  readonly kind: 'source' | 'stages' | 'sink' | 'dead letters'
  /** What it is for people. */
  readonly title: string
  /** Makes it, which checks its configuration; what is made may have checks of its own. */
  readonly make: () => Promise<Pick<Source | Sink, 'checks' | 'close'> | undefined>
}

/** @throws {ConfigError} when a stage of a graph cannot be made */
export async function connectorsOf(plan: PipelinePlan | PipelineGroup | GraphPlan): Promise<readonly Connector[]> {
  if ('nodes' in plan) return graphConnectors(plan)
  if (!('pipelines' in plan)) return pipelineConnectors(plan)
  return plan.pipelines.flatMap((each) =>
    pipelineConnectors(each).map((connector) => ({ ...connector, title: `${connector.title} of ${each.name}` })),
  )
}

function pipelineConnectors(plan: PipelinePlan): readonly Connector[] {
  const { source, stages, errorPolicy } = plan
  const context: ComponentContext = {
    pipeline: plan.name,
    untilEnd: false,
    directory: plan.directory,
    warn,
    metrics: UNSEEN_METER,
    delivery: 'at_least_once',
    preview: { from: 'run' },
  }
  const make = async (): Promise<undefined> => {
    for (const stage of stages) await catalog.stage(stage)
  }
  return [
    {
      kind: 'source',
      title: source.component,
      make: async () => (await catalog.source(source.component)).create(source.options, context),
    },
    ...(stages.length === 0
      ? []
      : [{ kind: 'stages' as const, title: stages.map(({ name }) => name).join(', '), make }]),
    ...allSinksOf(plan).map((sink) => writer('sink', sink, context)),
    ...(errorPolicy.deadLetters === undefined ? [] : [writer('dead letters', errorPolicy.deadLetters.sink, context)]),
  ]
}

function writer(
  kind: Connector['kind'],
  { component, options }: PlannedComponent,
  context: ComponentContext,
): Connector {
  return { kind, title: component, make: async () => (await catalog.sink(component)).create(options, context) }
}

async function graphConnectors(plan: GraphPlan): Promise<readonly Connector[]> {
  const nodes = await makeNodes(plan, catalog, { untilEnd: false, warn }, async () => true)
  const stages = nodes.flatMap((node): Connector[] => {
    if (node.kind === 'transform') return []
    const { id, function: name } = node.plan
    return [
      {
        kind: node.kind,
        title: `${id} (${name})`,
        make: async () => (node.kind === 'source' ? node.source : node.sink),
      },
    ]
  })
  const letters = plan.errorPolicy.deadLetters?.sink
  const context: ComponentContext = {
    pipeline: plan.name,
    untilEnd: false,
    directory: plan.directory,
    warn,
    metrics: UNSEEN_METER,
  }
  return letters === undefined ? stages : [...stages, writer('dead letters', letters, context)]
}

function warn(message: string): void {
  process.stderr.write(`warning: ${message}\n`)
}
