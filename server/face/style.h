// How the status page looks: light or dark as the reader's system, one column on a telephone.
#ifndef SERVER_FACE_STYLE_H_
#define SERVER_FACE_STYLE_H_

namespace face {

inline constexpr char kStyle[] = R"(
:root{color-scheme:light dark;--ground:#f6f7f9;--sheet:#fff;--ink:#1c2430;--faint:#5d6b7c;--line:#dfe4ea;
--good:#146c43;--good-ground:#d8f0e3;--bad:#a3202c;--bad-ground:#fbdfe1;--warn:#7a4d00;--warn-ground:#fdeccb}
@media(prefers-color-scheme:dark){:root{--ground:#12161c;--sheet:#1a2029;--ink:#e4e9f0;--faint:#93a1b3;
--line:#2c3542;--good:#7ddba9;--good-ground:#123a28;--bad:#ff9aa2;--bad-ground:#48181d;--warn:#f5c66b;
--warn-ground:#453107}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1100px;margin:0 auto;padding:20px 16px 48px}
h1{display:inline;font-size:22px;margin:0 10px 0 0}
h2{font-size:17px;margin:28px 0 10px}
.note{color:var(--faint);margin:6px 0;overflow-wrap:anywhere}
.trouble{background:var(--bad-ground);color:var(--bad);border-radius:8px;padding:10px 14px;margin:12px 0;
font-weight:600;overflow-wrap:anywhere}
.pill{display:inline-block;border-radius:12px;padding:1px 10px;font-size:13px;font-weight:600;white-space:nowrap;
background:var(--line);margin-right:4px;vertical-align:2px}
.good{background:var(--good-ground);color:var(--good)}
span.bad{background:var(--bad-ground);color:var(--bad)}
.warn{background:var(--warn-ground);color:var(--warn)}
.box{overflow-x:auto;background:var(--sheet);border:1px solid var(--line);border-radius:10px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:8px 14px;border-top:1px solid var(--line);white-space:nowrap}
tr:first-child th{border-top:0;color:var(--faint);font-size:13px;font-weight:600;white-space:nowrap}
td:has(.pill){white-space:normal}
tr.leads td:first-child{font-weight:700;box-shadow:inset 4px 0 var(--good)}
tr.bad td:first-child{box-shadow:inset 4px 0 var(--bad)}
ul{margin:0;padding:0;list-style:none}
li{padding:8px 14px;border-top:1px solid var(--line);overflow-wrap:anywhere}
li:first-child{border-top:0}
small{display:block;color:var(--faint)}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:10px;margin-top:12px}
.card{background:var(--sheet);border:1px solid var(--line);border-radius:10px;padding:10px 14px}
.card b{display:block;font-size:19px;overflow-wrap:anywhere}
.card span{color:var(--faint);font-size:13px}
footer.note{margin-top:28px}
@media(max-width:800px){.pill{white-space:normal;overflow-wrap:anywhere}
tr:first-child{display:none}
tr{display:grid;grid-template-columns:1fr 1fr;gap:8px 14px;padding:12px 14px;border-top:1px solid var(--line)}
tr:nth-child(2){border-top:0}
td{border:0;padding:0;white-space:normal;overflow-wrap:anywhere}
tr td:first-child{box-shadow:none!important}
td:before{content:attr(data-head);display:block;color:var(--faint);font-size:12px}
tr.leads{box-shadow:inset 4px 0 var(--good)}
tr.bad{box-shadow:inset 4px 0 var(--bad)}}
)";

}  // namespace face

#endif  // SERVER_FACE_STYLE_H_
