import { PAPER_METRIC_LABELS } from '../../../experiment/paper';
import { describeTask } from '../../../experiment/tasks/registry';
import { DATA_RECIPES, settingsOf, sizesOf } from '../../../recipes/data/registry';
import { PAPER } from '../../../recipes/paper-data';
import { SUBJECT_TASK } from '../../../recipes/dreambooth';
import { SDXL } from '../../../recipes/model-shapes';
import { program } from '../../invocation';
import { table } from '../../table';
import { DREAMBOOTH } from './dreambooth';

/** Every recipe, with its task, its metric and the paper's models. */
export function listText(): string {
  const rows = DATA_RECIPES.map((recipe) => {
    const sizes = sizesOf(recipe);
    const { dataSets } = settingsOf(recipe, sizes[0]);
    return [
      `  ${recipe.id}`,
      describeTask(recipe.task.value).title,
      [...new Set(dataSets.map(({ metric }) => PAPER_METRIC_LABELS[metric]))].join(', '),
      sizes.map((size) => recipe.models[size]).join(', '),
    ];
  });
  const subject = [`  ${DREAMBOOTH}`, describeTask(SUBJECT_TASK).title, '', SDXL.id];
  return `${[
    `The data sets of the AuroRA paper (${PAPER.source}) that can be trained from their files:`,
    ...table([['', 'task', 'metric', 'the paper’s models'], ...rows, subject], '   '),
    '',
    `${program()} recipe NAME                             its columns, settings and their sources`,
    `${program()} recipe NAME --model MODEL --data FOLDER    writes the experiment`,
  ].join('\n')}\n`;
}
