/** The pipeline as a graph: its parts in columns from left to right, with their rates, and what the time is spent on. */
import type { NodeStatus, PipelineStatus, Shares } from './data.ts'
import { count, percent, rate, seconds } from './format.ts'
import { html } from './html.ts'
import type { VNode } from 'preact'

const KINDS = { source: 'Source', stage: 'Stage', sink: 'Sink', 'dead-letters': 'Dead letters' } as const
const ACTIVITIES = [
  ['busy', 'Busy: works on records'],
  ['backpressured', 'Backpressured: waits for a sink'],
  ['idle', 'Idle: nothing to read'],
] as const

const NOTHING: Shares = { busy: 0, backpressured: 0, idle: 0 }

interface GraphProps {
  readonly pipeline: PipelineStatus
  readonly before: PipelineStatus | undefined
  /** Between the two. */
  readonly elapsedSeconds: number
}

export function Graph({ pipeline, before, elapsedSeconds }: GraphProps): VNode {
  const { now, nodes } = pipeline
  const shares = now ?? NOTHING
  return html`<section aria-labelledby="graph">
    <h2 id="graph">Pipeline</h2>
    ${
      shares.busy + shares.backpressured + shares.idle > 0 &&
      html`<${Activity} shares=${shares} />
        <ul class="legend">
          ${ACTIVITIES.map(
            ([name, text]) =>
              html`<li key=${name}>
                <span class="swatch" style=${{ background: `var(--${name})` }}></span>${text} ${percent(shares[name])}
              </li>`,
          )}
        </ul>`
    }
    <ol class="graph">
      ${columnsOf(nodes).map(
        (column, i, columns) =>
          html`<li key=${i}>
            <ul class="column">
              ${column.map((node) => {
                const earlier = before?.nodes.find(({ id }) => id === node.id)
                const isPlain =
                  i === 0 ||
                  (columns[i - 1]!.length === 1 &&
                    node.inputs.length === 1 &&
                    node.inputs[0] === columns[i - 1]![0]!.id)
                return html`<${Node}
                  key=${node.id}
                  node=${node}
                  before=${earlier}
                  elapsedSeconds=${elapsedSeconds}
                  namesInputs=${!isPlain}
                />`
              })}
            </ul>
          </li>`,
      )}
    </ol>
  </section>`
}

interface NodeProps {
  readonly node: NodeStatus
  readonly before: NodeStatus | undefined
  readonly elapsedSeconds: number
  readonly namesInputs: boolean
}

/** The last second as a bar. */
function Activity({ shares }: { readonly shares: Shares }): VNode {
  return html`<div class="activity" aria-hidden="true">
    ${ACTIVITIES.map(([name]) => html`<span key=${name} style=${{ width: `${shares[name] * 100}%`, background: `var(--${name})` }}></span>`)}
  </div>`
}

function Node({ node, before, elapsedSeconds, namesInputs }: NodeProps): VNode {
  const perSecond = (value: (each: NodeStatus) => number | undefined): number | undefined => {
    const [after, earlier] = [value(node), before && value(before)]
    if (after === undefined || earlier === undefined || elapsedSeconds <= 0) return undefined
    return Math.max(0, after - earlier) / elapsedSeconds
  }
  const { id, kind, component, names, inputs, lag, lagSeconds, breaker, now } = node
  const { busy, backpressured } = now ?? NOTHING
  const isSink = kind === 'sink' || kind === 'dead-letters'
  const isBad = breaker !== undefined && breaker !== 'closed'
  // A sink that waits for writes may have enough of them under way; a stage that works holds up the others.
  const isLimit = isSink ? backpressured > 0.5 : busy > 0.8
  const look = isBad ? 'is-bad' : isLimit ? 'is-limit' : busy > 0.2 ? 'is-busy' : ''
  const lines = [
    names.join(', '),
    namesInputs && inputs.length > 0 ? `from ${inputs.join(', ')}` : '',
    kind === 'source' ? `${rate(perSecond(({ recordsOut }) => recordsOut))} out` : '',
    kind === 'stage'
      ? `${rate(perSecond(({ recordsIn }) => recordsIn))} in, ${rate(perSecond(({ recordsOut }) => recordsOut))} out`
      : '',
    isSink ? `${rate(perSecond(({ recordsIn }) => recordsIn))} in` : '',
    now === undefined ? '' : ACTIVITIES.map(([name]) => `${name} ${percent(now[name])}`).join(', '),
    lag === undefined ? '' : `lag ${count(lag)}${lagSeconds === undefined ? '' : `, ${seconds(lagSeconds)}`}`,
    breaker === undefined ? '' : `circuit ${breaker}`,
    isLimit && isSink ? 'the pipeline waits for it' : '',
  ]
  return html`<li class=${`node ${look}`} data-node=${id}>
    <p><strong>${component}</strong> <span class="faint">${KINDS[kind]}${kind === 'stage' ? ` ${id}` : ''}</span></p>
    ${now !== undefined && html`<${Activity} shares=${now} />`}
    ${lines.filter((line) => line !== '').map((line) => html`<p key=${line.split(' ')[0]} class="faint">${line}</p>`)}
  </li>`
}

/** Each node behind all its inputs. */
function columnsOf(nodes: readonly NodeStatus[]): NodeStatus[][] {
  const depths = new Map<string, number>()
  const columns: NodeStatus[][] = []
  for (const node of nodes) {
    const depth = Math.max(0, ...node.inputs.map((input) => (depths.get(input) ?? 0) + 1))
    depths.set(node.id, depth)
    ;(columns[depth] ??= []).push(node)
  }
  return columns
}
