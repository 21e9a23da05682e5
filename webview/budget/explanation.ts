import { html, nothing, type TemplateResult } from 'lit';
import type { Budget } from '../../src/protocol/budget';
import type { BudgetFields } from '../../src/protocol/panels/budget';
import { t } from '../../src/base/l10n';
import { count, sharePercent } from '../../src/base/number-text';

/** The formulas with this adapter's numbers, shown on request. */
export function explanation(
  budget: Budget,
  fields: BudgetFields,
  open: boolean,
  toggled: (open: boolean) => void,
): TemplateResult {
  const { adapter, modelForwardFlops, formula } = budget;
  const { parameters: p, file, memory, flops, nonlinear } = adapter;
  // For methods where every parameter is a factor of a product; others count differently.
  const products = flops.backward === 2 * flops.forward;
  const item = (title: string, formula: string, words: string) =>
    html`<dt>${title}</dt>
      <dd>
        <code>${formula}</code>
        <p>${words}</p>
      </dd>`;
  return html`<details
    ?open=${open}
    @toggle=${(e: Event) => toggled((e.currentTarget as HTMLDetailsElement).open)}
  >
    <summary>${t('How the costs are counted')}</summary>
    <dl>
      ${item(
        t('Parameters'),
        t('Σ over modules: {0} = {1}', formula, count(p)),
        t(
          'The elements of the tensors that the trainer creates for each module; in and out are the layer’s features. A task’s head is not included.',
        ),
      )}
      ${item(
        t('Adapter file'),
        t('8 + {0} + 4 × {1} = {2} bytes', count(file.header), count(p), count(file.total)),
        t(
          'adapter_model.safetensors in float32: 8 bytes for the length of the header, the header with names and shapes (padded to 8 bytes), and 4 bytes per parameter. A task’s head is not included.',
        ),
      )}
      ${item(
        t('Training memory'),
        t('4 × {0} × (1 + 1 + 2) = {1} bytes', count(p), count(memory.total)),
        t(
          'In float32: the parameters, their gradients, and AdamW’s two moments. The model’s weights and the activations of a pass are not included.',
        ),
      )}
      ${item(
        t('FLOPs per token'),
        products
          ? t('forward 2 × {0}, backward 4 × {0}', count(flops.forward / 2))
          : t('forward {0}, backward {1}', count(flops.forward), count(flops.backward)),
        (products
          ? t(
              'Matrix products; a multiply-add counts as two operations. Each parameter is used once per token and call. In the backward pass, it costs one product for its own gradient and one to propagate the gradient. A module that is called several times counts once per call.',
            )
          : t(
              'A multiply-add counts as two operations. Frozen matrices that the method computes with are included, and so are the tensors that it computes from its parameters once per step.',
            )) +
          ' ' +
          t(
            'In the forward pass, this adds {0} to the model’s own linear layers.',
            sharePercent(flops.forward / modelForwardFlops),
          ),
      )}
      ${item(
        t('FLOPs per step'),
        products
          ? t('6 × {0} × {1} tokens = {2}', count(flops.forward / 2), fields.tokens, count(flops.step))
          : t('{0} for {1} tokens', count(flops.step), fields.tokens),
        t('Assuming that every module processes every token of the step.'),
      )}
      ${
        nonlinear.bases + nonlinear.activations > 0
          ? item(
              t('σ itself'),
              t(
                '{0} spline values, {1} activations per token',
                count(nonlinear.bases),
                count(nonlinear.activations),
              ),
              t(
                'r(G + k) spline bases and 2r activations per module in the forward pass. They are not matrix products and not included in the FLOPs above.',
              ),
            )
          : nothing
      }
    </dl>
  </details>`;
}
