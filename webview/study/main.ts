import '../ui/page.css';
import '../ui/fields.css';
import './study.css';
import { followSeries } from '../charts/series';
import { registerToolkit } from '../ui/toolkit';
import { StudyApp } from './app';
import { FigureView } from './figure';

followSeries();
registerToolkit();
customElements.define('aurora-study-figure', FigureView);
customElements.define('aurora-study', StudyApp);
document.body.append(document.createElement('aurora-study'));
