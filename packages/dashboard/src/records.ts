/**
 * The last records before and after a stage, as they are asked for: what is shown does not change while one reads, until new
 * ones are asked for.
 */
import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Ask, FailedRecord, PipelineStatus, StageRecords } from './data.ts'
import { type DiffLine, diffLines, linesOf } from './diff.ts'
import { clock } from './format.ts'
import { html } from './html.ts'

const POLL_MS = 500

type Sample = StageRecords['samples'][number]
type RecordText = FailedRecord['record']

interface RecordsProps {
  readonly pipeline: PipelineStatus
  readonly ask: Ask
}

export function Records({ pipeline, ask }: RecordsProps): VNode | null {
  const stages = pipeline.nodes.filter(({ kind, hasRecords }) => kind === 'stage' && hasRecords)
  const [stage, choose] = useState<string | undefined>(undefined)
  const [shown, show] = useState<StageRecords | undefined>(undefined)
  const [isWaiting, wait] = useState(false)
  const { name } = pipeline
  useEffect(() => {
    if (!isWaiting || stage === undefined) return undefined
    let isOver = false
    const poll = async (): Promise<void> => {
      const found = await ask<StageRecords>({ pipeline: name, stage })
      if (isOver) return
      if (found !== undefined && found.samples.length > 0 && found.at !== shown?.at) {
        show(found)
        wait(false)
      } else timer = setTimeout(() => void poll(), POLL_MS)
    }
    let timer = setTimeout(() => void poll(), 0)
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [isWaiting, stage])
  if (stages.length === 0) return null
  const look = (id: string): void => {
    if (id !== stage) show(undefined)
    choose(id)
    wait(true)
  }
  const close = (): void => {
    choose(undefined)
    show(undefined)
    wait(false)
  }
  return html`<section aria-labelledby="records">
    <h2 id="records">Records before and after a stage</h2>
    <div class="pipelines">
      ${stages.map(
        ({ id, component }) =>
          html`<button key=${id} aria-pressed=${id === stage} onClick=${() => (id === stage ? close() : look(id))}>
            ${component} <span class="faint">${id}</span>
          </button>`,
      )}
    </div>
    <p class="faint" role="status" data-testid="records-state">
      ${stateText(stage, isWaiting, shown)}
      ${' '}${stage !== undefined && !isWaiting && html`<button onClick=${() => wait(true)}>Show newer ones</button>`}
    </p>
    ${
      shown !== undefined &&
      html`<ol class="records" data-testid="records">
        ${shown.samples.toReversed().map((sample, i) => html`<${SampleView} key=${i} sample=${sample} />`)}
      </ol>`
    }
  </section>`
}

function stateText(stage: string | undefined, isWaiting: boolean, shown: StageRecords | undefined): string {
  if (stage === undefined) return 'Nothing is looked at until you choose a stage.'
  if (isWaiting) return shown === undefined ? 'Waiting for the next records.' : 'Waiting for newer records.'
  const hidden = shown?.isHidden ? ' Values are hidden.' : ''
  return `Taken at ${clock(shown!.at)}; they stay until you ask for newer ones.${hidden}`
}

function SampleView({ sample }: { readonly sample: Sample }): VNode {
  const { record, before, after, error } = sample
  const [text, kind] = outcomeOf(sample)
  return html`<li>
    <p>
      <span class=${`badge ${kind}`}>${text}</span
      >${' '}${record === undefined ? 'made of several records' : placeText(record)}
    </p>
    ${error !== undefined && html`<p>${error}</p>`}
    ${
      after.length === 0
        ? html`<${Lines} lines=${linesOf(textOf(before)).map((line) => ({ kind: 'same', text: line }) as const)} />`
        : after.map(
            (one, i) =>
              html`<${Lines}
                key=${i}
                lines=${record === undefined ? added(textOf(one)) : diffLines(textOf(before), textOf(one))}
              />`,
          )
    }
  </li>`
}

function outcomeOf({ record, before, after, error }: Sample): readonly [text: string, kind: string] {
  if (error !== undefined) return ['Failed', 'bad']
  if (record === undefined) return ['Made', 'good']
  if (after.length === 0) return ['Dropped', 'warn']
  if (after.length > 1) return [`Became ${after.length}`, 'good']
  return after[0] === before ? ['Unchanged', 'plain'] : ['Changed', 'good']
}

function added(text: string): readonly DiffLine[] {
  return linesOf(text).map((line) => ({ kind: 'added', text: line }))
}

const MARKS = { same: ' ', removed: '−', added: '+' } as const

function Lines({ lines }: { readonly lines: readonly DiffLine[] }): VNode {
  return html`<pre class="lines" tabindex="0">
${lines.map(({ kind, text }, i) => html`<span key=${i} class=${kind}>${`${MARKS[kind]} ${text}\n`}</span>`)}</pre>`
}

function textOf(value: string | null): string {
  return value ?? 'null (a tombstone)'
}

function placeText({ topic, partition, offset, key }: RecordText): string {
  return `${topic}, partition ${partition}, offset ${offset}${key === null ? '' : `, key ${key}`}`
}

/** A record that failed, whole. */
export function FailedRecordView({ found }: { readonly found: FailedRecord }): VNode {
  const { record, isHidden } = found
  const { timestamp, headers, value } = record
  return html`<div data-testid="failed-record">
    <p>
      ${placeText(record)}${timestamp === undefined ? '' : `, of ${timestamp}`}${isHidden ? ' (values are hidden)' : ''}
    </p>
    <${Lines} lines=${linesOf(textOf(value)).map((text) => ({ kind: 'same', text }) as const)} />
    ${headers.length > 0 && html`<p>Headers: ${headers.map(([name, text]) => `${name}: ${text ?? 'null'}`).join(', ')}</p>`}
  </div>`
}
