import '../ui/page.css';
import '../ui/fields.css';
import './study.css';
import { followSeries } from '../charts/chart-colors';
import { registerToolkit } from '../ui/toolkit';
import { StudyPage } from './study-page';
import { FigureView } from './figure-view';

followSeries();
registerToolkit();
customElements.define('aurora-study-figure', FigureView);
customElements.define('aurora-study', StudyPage);
document.body.append(document.createElement('aurora-study'));
