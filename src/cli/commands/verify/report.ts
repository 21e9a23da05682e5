import { placeName, type Place } from '../../../engine/place';
import type {
  VerifyGradient,
  VerifyKinks,
  VerifyLine,
  VerifyResult,
  VerifyRow,
  VerifyTensor,
} from '../../../protocol/verification';
import { count, errorText } from '../../../base/number-text';
import { stepTime } from '../../../base/time-text';
import { table } from '../../table';

/** A line of the comparison as terminal text; ends with a line break. */
export function verifyText(line: VerifyLine): string {
  switch (line.kind) {
    case 'setup': {
      const [a, b] = line.places.map((p) => placeName(p as Place));
      const masks = line.dropout ? ', including dropout masks' : '';
      // Images have one each.
      const tokens = line.tokens === line.examples ? '' : ` of ${count(line.tokens)} tokens`;
      return `${a} against ${b}: the first batch, ${line.examples} examples${tokens}${masks}; ${line.tensors} trainable tensors.\n`;
    }
    case 'ran':
      return `  ${placeName(line.place as Place)}, ${line.values} values: loss ${line.loss.toFixed(6)}, ${stepTime(line.seconds)}\n`;
    case 'kinks':
      return kinks(line);
    case 'result':
      return result(line);
    case 'problem':
      return `error: ${line.message}\n`;
  }
}

function kinks({ values, operators, texts, of }: VerifyKinks): string {
  const where = `${count(values)} ${values === 1 ? 'value' : 'values'} of ${operators.join(', ')}`;
  const why = `Gradients differ, and rounding decides some of them: the engines see ${where} on different sides of 0.`;
  return texts.length === of
    ? `${why}\nEvery example contains one, so this alone may explain the differences below.\n`
    : `${why}\nAgain without the ${count(texts.length)} of ${count(of)} examples that contain ${values === 1 ? 'it' : 'them'}:\n`;
}

/** Tensors are compared without the runtime's graph optimization. */
const UNSEEN =
  'No single tensor differs when ONNX Runtime runs the graph unoptimized, so its graph optimization makes the difference.';

function result({ agree, rows, first }: VerifyResult): string {
  const shown = rows.map((r) => [
    `  ${r.values}`,
    r.what,
    number(r.error),
    errorText(r.tolerance),
    r.agree ? 'agree' : 'differ',
    remark(r),
  ]);
  return `\n${[
    ...table([['  values', '', 'difference', 'tolerance', '', ''], ...shown], '   '),
    '',
    'Differences are relative to the largest magnitude of each tensor. Perturbed: each trainable tensor with seeded',
    'noise, since the gradients of untrained adapters are 0 where they would be multiplied by B.',
    '',
    agree ? 'The engines agree.' : 'The engines differ.',
    ...(first ? where(first) : agree ? [] : [UNSEEN]),
  ].join('\n')}\n`;
}

function remark({ what, worst, zero, of }: VerifyRow): string {
  if (what !== 'gradients') return '';
  return `most in ${worst}${zero ? `; ${zero} of ${of} are 0 on both sides` : ''}`;
}

function where(first: VerifyTensor | VerifyGradient): string[] {
  const at = `at [${first.position.join(', ')}] of [${first.dims.join(', ')}]: ${first.both.join(' and ')}, difference ${number(first.error)}`;
  if (first.stage === 'forward')
    return [
      `The first tensor that differs is ${first.tensor},`,
      `  produced by ${first.operator}, node ${first.node}${first.module ? `, in the module ${first.module}` : ''},`,
      `  ${at}`,
    ];
  const others = first.differing.length - 1;
  return [
    `The forward pass agrees; the gradient of ${first.tensor} differs${others ? `, and ${others} more before it` : ''},`,
    `  ${at}`,
  ];
}

/** JSON has no NaN, so null stands for it. */
const number = (error: number | null): string => (error === null ? 'not finite' : errorText(error));
