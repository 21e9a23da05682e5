import { html, nothing, type TemplateResult } from 'lit';
import { count } from '../../src/base/number-text';
import { t } from '../../src/base/l10n';
import type { Checked, ClaimAction, ClaimFacts, ClaimPhaseFacts } from '../../src/study/claim/claim-messages';
import { verdictParts } from '../../src/study/claim/claim-report';
import { costWords } from '../../src/study/claim/claim-words';
import { timeLeft } from '../../src/study/sweep/trials';
import { progress } from '../sweep/sweep-header';
import { timeLeftWords } from '../sweep/sweep-model';
import { withCode } from './report-view';

type Act = (action: ClaimAction) => void;

/** The sentence, the verdict or how far its test is, and the commands. */
export function header(facts: ClaimFacts, checked: Checked | undefined, act: Act): TemplateResult {
  const { state, sentence, experiment, name, cost, phase, certificate } = facts;
  return html`<header>
    <div class="title">
      <h1>${sentence}</h1>
      <span class="state state-${state}" role="status">${stateWord(state)}</span>
    </div>
    <p class="note">${t('Claim {0} of {1}', name, experiment)}</p>
    ${certificate && state === 'closed' ? verdict(facts) : nothing} ${notices(facts)}
    ${cost && !certificate ? html`<p class="note">${costWords(cost).join(' ')}</p>` : nothing}
    ${phase && state !== 'gone' ? phaseView(phase, state, act) : nothing}
    <div class="tools">${buttons(facts, checked, act)}</div>
    ${checked ? checkedView(checked) : nothing}
  </header>`;
}

function stateWord(state: ClaimFacts['state']): string {
  const words: Record<ClaimFacts['state'], string> = {
    running: t('running'),
    stopped: t('stopped'),
    failed: t('failed'),
    lost: t('lost'),
    damaged: t('damaged'),
    closed: t('closed'),
    gone: t('deleted'),
  };
  return words[state];
}

const verdict = ({ certificate }: ClaimFacts) =>
  verdictParts(certificate!).map((part) =>
    typeof part === 'object' && 'verdict' in part
      ? html`<p class="verdict verdict-${certificate!.verdict}" role="status">${part.verdict}</p>`
      : html`<p class="words">${typeof part === 'string' ? withCode(part) : nothing}</p>`,
  );

function notices({ state, problem, error }: ClaimFacts) {
  return [
    problem === undefined ? nothing : html`<p class="error" role="alert">${problem}</p>`,
    error === undefined
      ? nothing
      : html`<p class="error" role="alert">${[error.message, error.hint ?? ''].join(' ').trim()}</p>`,
    state === 'gone'
      ? html`<p class="notice" role="status">${t('The folder of this claim was deleted.')}</p>`
      : nothing,
    state === 'lost'
      ? html`<p class="notice" role="status">
          ${t('Its process ended unexpectedly. Everything that is saved counts.')}
        </p>`
      : nothing,
  ];
}

function phaseView(
  { phase, trials, parallel, state }: ClaimPhaseFacts,
  claim: ClaimFacts['state'],
  act: Act,
) {
  const left = claim === 'running' ? timeLeft({ state, parallel }, trials) : undefined;
  const name = phase === 'search' ? t('Search') : t('Test');
  return html`<div class="phase">
    <button class="link" data-action=${phase} @click=${() => act(phase)}>${name}</button>
    ${progress({ facts: { state }, trials })}
    ${
      left === undefined
        ? claim === 'running' && state !== 'running'
          ? html`<p class="left">${t('The results are being measured.')}</p>`
          : nothing
        : html`<p class="left">${timeLeftWords(left)}</p>`
    }
  </div>`;
}

function buttons(
  { state, certificate, canContinue, canCheck, search, tests }: ClaimFacts,
  checked: Checked | undefined,
  act: Act,
) {
  const button = (action: ClaimAction, label: string, main = false, disabled = false) =>
    html`<vscode-button
      data-action=${action}
      appearance=${main ? 'primary' : 'secondary'}
      ?disabled=${disabled}
      @click=${() => act(action)}
      >${label}</vscode-button
    >`;
  if (state === 'gone') return nothing;
  return [
    state === 'running' ? button('stop', t('Stop Claim'), true) : nothing,
    canContinue ? button('continue', t('Continue Claim'), true) : nothing,
    certificate && state === 'closed' ? button('certificate', t('Open Certificate'), true) : nothing,
    canCheck ? button('check', t('Check Certificate'), false, checked?.state === 'checking') : nothing,
    button('experiment', t('Open Experiment')),
    certificate && search.length > 0 ? button('search', t('Open Search')) : nothing,
    certificate && tests.length > 0 ? button('test', t('Open Test')) : nothing,
  ];
}

/** The result of Check Certificate. */
function checkedView(checked: Checked): TemplateResult {
  if (checked.state === 'checking')
    return html`<p class="notice" role="status">${t('Computing the verdict again from the runs…')}</p>`;
  if (checked.state === 'good')
    return html`<p class="notice checked" role="status">
      ${t('The certificate follows from its {0} runs.', count(checked.runs))}
    </p>`;
  return html`<div class="error" role="alert">
    ${t('The certificate does not follow from its runs:')}
    <ul>
      ${checked.faults.map(
        ({ run, message }) =>
          html`<li>${run === undefined ? nothing : html`<code>${run}</code>: `}${message}</li>`,
      )}
    </ul>
  </div>`;
}
