/** A plan as it runs on the embedded broker: the same, except that all its clusters are that one. */
import { kafkaEndpoints } from '../../kafka/properties/endpoints.ts'
import { SECURITY_FIELDS } from '../../kafka/security/fields.ts'
import type { GraphPlan, PlannedNode } from '../../engine/graph/plan.ts'
import {
  allSinksOf,
  type ErrorPolicy,
  type PipelineGroup,
  type PipelinePlan,
  type PlannedComponent,
} from '../../engine/plan.ts'

export type AnyPlan = PipelinePlan | PipelineGroup | GraphPlan

/** Topics of a plan. */
export interface PlanTopics {
  readonly read: readonly string[]
  /** Dead letters included. */
  readonly written: readonly string[]
}

export function topicsOf(plan: AnyPlan): PlanTopics {
  if ('pipelines' in plan) {
    const all = plan.pipelines.map(topicsOf)
    return { read: unique(all.flatMap(({ read }) => read)), written: unique(all.flatMap(({ written }) => written)) }
  }
  const letters = plan.errorPolicy.deadLetters?.sink.endpoints.topics ?? []
  if ('nodes' in plan) {
    const of = (kind: PlannedNode['kind']): string[] =>
      plan.nodes.filter((node) => node.kind === kind).flatMap(({ endpoints }) => endpoints.topics)
    return { read: unique(of('source')), written: unique([...of('sink'), ...letters]) }
  }
  const written = allSinksOf(plan).flatMap(({ endpoints }) => endpoints.topics)
  return { read: unique(plan.source.endpoints.topics), written: unique([...written, ...letters]) }
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)]
}

/**
 * The plan on another cluster. Groups without committed offsets begin with the first record, so that nothing that is fed in
 * is missed.
 *
 * @param brokers its addresses
 */
export function onCluster(plan: AnyPlan, brokers: readonly string[]): AnyPlan {
  if ('pipelines' in plan)
    return { ...plan, http: [], pipelines: plan.pipelines.map((each) => onCluster(each, brokers) as PipelinePlan) }
  const moved = <C extends Pick<PlannedComponent, 'options' | 'endpoints'>>(component: C): C =>
    moveTo(brokers, component)
  const errorPolicy = lettersOn(plan.errorPolicy, moved)
  if ('nodes' in plan) return { ...plan, http: [], nodes: plan.nodes.map(moved), errorPolicy }
  const { source, sink, fanout = [] } = plan
  return { ...plan, http: [], source: moved(source), sink: moved(sink), fanout: fanout.map(moved), errorPolicy }
}

function lettersOn(policy: ErrorPolicy, moved: (sink: PlannedComponent) => PlannedComponent): ErrorPolicy {
  const { deadLetters } = policy
  return deadLetters === undefined
    ? policy
    : { ...policy, deadLetters: { ...deadLetters, sink: moved(deadLetters.sink) } }
}

/** Names under which the dialects have the addresses of brokers. */
const ADDRESSES = ['bootstrapServers', 'brokers']

function moveTo<C extends Pick<PlannedComponent, 'options' | 'endpoints'>>(
  brokers: readonly string[],
  component: C,
): C {
  const { options, endpoints } = component
  if (endpoints.brokers.length === 0) return component
  const others = Object.entries(options).filter(([name]) => !Object.hasOwn(SECURITY_FIELDS, name))
  const addresses = ADDRESSES.filter((name) => name in options).map((name) => [name, brokers])
  return {
    ...component,
    options: {
      ...Object.fromEntries([...others, ...addresses]),
      securityProtocol: 'PLAINTEXT',
      ...('autoOffsetReset' in options ? { autoOffsetReset: 'earliest' } : {}),
    },
    endpoints: { ...kafkaEndpoints({ bootstrapServers: brokers }), topics: endpoints.topics },
  }
}
