import { bestFirst, score } from '../experiment/metrics';
import type { Group } from './groups';
import type { Section, Study } from './study';

/** Nobody reads more rows and sentences than this. */
export const MOST_SHOWN = 100;

/**
 * A study as a page, a report or a terminal shows it: of more groups of a data set than anybody reads, the best by the
 * metric, and the one that they are compared with. Everything was computed with all of them.
 */
export const shownOf = (study: Study): Study => ({
  ...study,
  sections: study.sections.map((section) => shownSection(section, study)),
});

function shownSection(section: Section, { metric }: Study): Section {
  const chosen = section.groups.filter((g) => g.chosen);
  if (chosen.length <= MOST_SHOWN) return section;
  const worth = ({ metrics }: Group) => score(metric, metrics[metric].mean);
  const best = [...chosen].sort((a, b) => bestFirst(worth(a), worth(b))).slice(0, MOST_SHOWN);
  const reference = chosen.find((g) => g.label === section.reference)!;
  const families = new Set([...best, reference].map((g) => g.family));
  const groups = section.groups.filter((g) => families.has(g.family));
  const labels = new Set(groups.map((g) => g.label));
  return {
    ...section,
    groups,
    searches: section.searches.filter((s) => labels.has(s.label)),
    comparisons: section.comparisons.filter((c) => labels.has(c.a)),
    ablations: section.ablations.filter((c) => labels.has(c.a) && labels.has(c.b)),
    hidden: chosen.length - families.size,
  };
}
