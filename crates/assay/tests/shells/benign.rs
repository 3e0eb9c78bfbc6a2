//! Benign pages, made: pieces that pages of such sites are made of, put
//! together by a seed. Each piece uses what shells use, too: what is sent,
//! files, programs, reflection, encodings; innocently.

use crate::Page;

/// A way of writing pages: what stands around, and its pieces. `$N` is a name
/// of the page's own, `$F` a folder, `$K` a number.
struct Dialect {
    extension: &'static str,
    before: &'static str,
    after: &'static str,
    pieces: &'static [&'static str],
}

const DIALECTS: &[Dialect] = &[
    Dialect {
        extension: "aspx",
        before: "<%@ Page Language=\"C#\" AutoEventWireup=\"true\" %>\n<%@ Import Namespace=\"System.IO\" %>\n<script runat=\"server\">\n",
        after: "</script>\n<form id=\"f\" runat=\"server\"><asp:TextBox ID=\"txt$N\" runat=\"server\" /><asp:FileUpload ID=\"up$N\" runat=\"server\" /><asp:Label ID=\"lbl$N\" runat=\"server\" /></form>\n<script>$(function(){var o=eval('('+$('#x').val()+')');$('#y').text(o.$N);});</script>\n",
        pieces: &[
            "void Show$N(object s, EventArgs e) { lbl$N.Text = Server.HtmlEncode(Request.QueryString[\"$N\"]); }\n",
            "void Save$N(object s, EventArgs e) { if (!up$N.HasFile) return; string ext = Path.GetExtension(up$N.FileName).ToLowerInvariant(); if (ext != \".png\") { lbl$N.Text = \"no\"; return; } up$N.SaveAs(Path.Combine(Server.MapPath(\"~/$F\"), Guid.NewGuid() + ext)); }\n",
            "void Note$N() { File.AppendAllText(Server.MapPath(\"~/App_Data/$F.log\"), DateTime.UtcNow + \" \" + Request.UserHostAddress + \" \" + Request[\"$N\"] + Environment.NewLine); }\n",
            "string Read$N() { int id; return int.TryParse(Request[\"id\"], out id) ? File.ReadAllText(Server.MapPath(\"~/$F/\" + id + \".txt\")) : \"\"; }\n",
            "void Tool$N(object s, EventArgs e) { var p = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(Server.MapPath(\"~/bin/$F.exe\"), \"--all --limit $K\") { UseShellExecute = false }); p.WaitForExit(); lbl$N.Text = p.ExitCode.ToString(); }\n",
            "object Call$N() { var m = typeof(Math).GetMethod(\"Abs\", new[] { typeof(int) }); return m.Invoke(null, new object[] { $K }); }\n",
            "string Token$N() { return Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(Session.SessionID + \":$K\")); }\n",
            "string From$N() { try { return System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(Request[\"state\"])); } catch (FormatException) { return \"\"; } }\n",
            "void List$N() { foreach (string f in Directory.GetFiles(Server.MapPath(\"~/$F\"), \"*.pdf\")) Response.Write(\"<li>\" + Path.GetFileName(f) + \"</li>\"); }\n",
            "void Old$N() { foreach (string f in Directory.GetFiles(Server.MapPath(\"~/$F\"))) if (File.GetLastWriteTime(f) < DateTime.Now.AddDays(-$K)) File.Delete(f); }\n",
            "void Go$N(object s, EventArgs e) { Response.Redirect(\"$F.aspx?q=\" + Server.UrlEncode(txt$N.Text)); }\n",
            "void Find$N(object s, EventArgs e) { using (var c = new System.Data.SqlClient.SqlConnection(ConfigurationManager.ConnectionStrings[\"$F\"].ConnectionString)) { var q = new System.Data.SqlClient.SqlCommand(\"select * from $N where name like @n\", c); q.Parameters.AddWithValue(\"@n\", txt$N.Text + \"%\"); c.Open(); using (var r = q.ExecuteReader()) while (r.Read()) Response.Write(Server.HtmlEncode((string)r[\"name\"])); } }\n",
            "string Feed$N() { using (var w = new System.Net.WebClient()) return w.DownloadString(\"https://$F.example.test/feed?n=$K\"); }\n",
        ],
    },
    Dialect {
        extension: "vb.aspx",
        before: "<%@ Page Language=\"VB\" %>\n<script runat=\"server\">\n",
        after: "</script>\n<form runat=\"server\"><asp:TextBox ID=\"txt$N\" runat=\"server\" /><asp:Label ID=\"lbl$N\" runat=\"server\" /></form>\n",
        pieces: &[
            "Sub Show$N(ByVal s As Object, ByVal e As EventArgs)\n  lbl$N.Text = Server.HtmlEncode(txt$N.Text)\nEnd Sub\n",
            "Function Page$N() As Integer\n  Dim n As Integer = 1\n  If Not Integer.TryParse(Request.QueryString(\"p\"), n) Then n = $K\n  Return n\nEnd Function\n",
            "Sub Log$N()\n  ' Don't log what is sent\n  System.IO.File.AppendAllText(Server.MapPath(\"~/App_Data/$F.log\"), Now.ToString() & vbCrLf)\nEnd Sub\n",
            "Sub Tool$N()\n  System.Diagnostics.Process.Start(\"C:\\tools\\$F.exe\", \"/quiet\")\nEnd Sub\n",
            "Sub Pick$N()\n  Select Case Request(\"view\")\n    Case \"a\"\n      Server.Transfer(\"a$F.aspx\")\n    Case Else\n      Response.Redirect(\"b$F.aspx\")\n  End Select\nEnd Sub\n",
        ],
    },
    Dialect {
        extension: "asp",
        before: "<%@ Language=\"VBScript\" %>\n<% Option Explicit\n",
        after: "%>\n<p>It's done.</p>\n",
        pieces: &[
            "Dim $N : $N = Server.HTMLEncode(Request.Form(\"$N\"))\nResponse.Write \"<b>\" & $N & \"</b>\"\n",
            "Dim rs$N\nSet rs$N = conn.Execute(\"select a from $F where id = \" & CLng(Request.QueryString(\"id\")))\nIf Not rs$N.EOF Then Response.Write rs$N(0)\n",
            "Dim fs$N, f$N\nSet fs$N = Server.CreateObject(\"Scripting.FileSystemObject\")\nSet f$N = fs$N.OpenTextFile(Server.MapPath(\"$F.txt\"), 1)\nResponse.Write f$N.ReadAll\nf$N.Close\n",
            "Function Fix$N(s)\n  Fix$N = Replace(s, Chr(39), Chr(39) & Chr(39))\nEnd Function\n",
            "Dim sh$N\nSet sh$N = Server.CreateObject(\"WScript.Shell\")\nsh$N.Run Server.MapPath(\"/tools/$F.cmd\"), 0, False\n",
            "Session(\"$N\") = Request.Form(\"$N\")\nIf Session(\"$N\") = \"\" Then Response.Redirect \"$F.asp\"\n",
        ],
    },
    Dialect {
        extension: "php",
        before: "<?php\nrequire_once __DIR__ . '/config.php';\n",
        after: "?>\n<form method=\"post\"><input name=\"$N\"></form>\n",
        pieces: &[
            "$$N = isset($_POST['$N']) ? trim($_POST['$N']) : ''; echo htmlspecialchars($$N);\n",
            "if (isset($_GET['$F']) && in_array($_GET['$F'], array('a', 'b'), true)) { include 'inc/' . $_GET['$F'] . '.php'; }\n",
            "$rows$N = array_map(function ($r) { return htmlspecialchars($r['$F']); }, $db->fetchAll('select * from $N limit $K'));\n",
            "file_put_contents('/var/log/$F.log', date('c') . ' ' . $_SERVER['REMOTE_ADDR'] . ' ' . json_encode($_POST) . PHP_EOL, FILE_APPEND);\n",
            "$out$N = shell_exec('/usr/bin/$F --version'); echo nl2br(htmlspecialchars($out$N));\n",
            "if (!empty($_FILES['$N']['name']) && $_FILES['$N']['size'] < $K000) { $e = strtolower(pathinfo($_FILES['$N']['name'], PATHINFO_EXTENSION)); if (in_array($e, ['jpg', 'png'])) move_uploaded_file($_FILES['$N']['tmp_name'], '$F/' . uniqid() . '.' . $e); }\n",
            "$s$N = $pdo->prepare('select id from $F where name = :n'); $s$N->execute([':n' => $_POST['$N']]); $id$N = $s$N->fetchColumn();\n",
            "$data$N = json_decode(base64_decode($_COOKIE['$N']), true); if (is_array($data$N)) { $lang = in_array($data$N['lang'], ['en', 'de']) ? $data$N['lang'] : 'en'; }\n",
            "foreach (glob(__DIR__ . '/$F/*.txt') as $f) { echo '<li>' . basename($f) . '</li>'; }\n",
            "call_user_func(array('$N', 'boot')); usort($list$N, 'cmp_$F'); register_shutdown_function('done_$N');\n",
            "echo preg_replace('/[^a-z0-9]/i', '', $_GET['$N']); $c = str_rot13('uryyb');\n",
        ],
    },
    Dialect {
        extension: "jsp",
        before: "<%@ page import=\"java.util.*,java.io.*\" contentType=\"text/html;charset=UTF-8\" %>\n<%@ taglib prefix=\"c\" uri=\"http://java.sun.com/jsp/jstl/core\" %>\n<%\n",
        after: "%>\n<c:forEach items=\"${list}\" var=\"i\"><li><c:out value=\"${i.$N}\"/></li></c:forEach>\n",
        pieces: &[
            "String $N = request.getParameter(\"$N\"); if ($N == null) $N = \"$F\"; pageContext.setAttribute(\"$N\", $N);\n",
            "int page$N = 0; try { page$N = Integer.parseInt(request.getParameter(\"page\")); } catch (NumberFormatException e) { page$N = $K; }\n",
            "BufferedReader r$N = new BufferedReader(new FileReader(application.getRealPath(\"/WEB-INF/$F.txt\"))); out.println(r$N.readLine()); r$N.close();\n",
            "Process p$N = Runtime.getRuntime().exec(\"/opt/$F/status\"); out.println(p$N.waitFor());\n",
            "java.sql.PreparedStatement s$N = con.prepareStatement(\"select 1 from $F where a = ?\"); s$N.setString(1, request.getParameter(\"$N\")); s$N.executeQuery();\n",
            "Object v$N = Class.forName(\"com.example.$N\").getMethod(\"version\").invoke(null); out.println(v$N);\n",
            "File[] l$N = new File(application.getRealPath(\"/$F\")).listFiles(); for (File f : l$N) out.println(\"<li>\" + f.getName() + \"</li>\");\n",
            "String h$N = request.getHeader(\"Accept-Language\"); if (h$N != null && h$N.startsWith(\"de\")) response.sendRedirect(\"/de/$F.jsp\");\n",
        ],
    },
    Dialect {
        extension: "ashx",
        before: "<%@ WebHandler Language=\"C#\" Class=\"$N\" %>\nusing System; using System.IO; using System.Web;\npublic class $N : IHttpHandler {\n  public bool IsReusable { get { return true; } }\n  public void ProcessRequest(HttpContext context) {\n",
        after: "  }\n}\n",
        pieces: &[
            "    context.Response.ContentType = \"application/json\"; context.Response.Write(\"{\\\"$F\\\":$K}\");\n",
            "    string q$K = context.Request[\"q\"]; if (string.IsNullOrEmpty(q$K)) { context.Response.StatusCode = 400; return; } context.Response.Write(HttpUtility.HtmlEncode(q$K));\n",
            "    var body$K = new StreamReader(context.Request.InputStream).ReadToEnd(); Store.Save(\"$F\", body$K);\n",
            "    int id$K; if (int.TryParse(context.Request.QueryString[\"id\"], out id$K)) context.Response.TransmitFile(context.Server.MapPath(\"~/$F/\" + id$K + \".jpg\"));\n",
            "    foreach (string k in context.Request.Files) { var f = context.Request.Files[k]; if (f.ContentLength < $K000 && f.ContentType == \"image/png\") f.SaveAs(context.Server.MapPath(\"~/$F/\" + Guid.NewGuid() + \".png\")); }\n",
        ],
    },
    Dialect {
        extension: "cfm",
        before: "<cfparam name=\"url.$N\" default=\"1\">\n",
        after: "<cfoutput>#now()#</cfoutput>\n",
        pieces: &[
            "<cfquery name=\"q$K\" datasource=\"$F\">select a from t where id = <cfqueryparam value=\"#url.$N#\" cfsqltype=\"cf_sql_integer\"></cfquery>\n",
            "<cfoutput query=\"q$K\"><li>#htmlEditFormat(a)#</li></cfoutput>\n",
            "<cfif structKeyExists(form, \"$N\")><cfset session.$N = left(form.$N, $K)></cfif>\n",
            "<cffile action=\"read\" file=\"#expandPath('./$F.txt')#\" variable=\"t$K\">\n",
        ],
    },
];

const NAMES: &[&str] =
    &["Order", "Customer", "Invoice", "Report", "Photo", "News", "Basket", "Ticket", "Course", "Room"];
const FOLDERS: &[&str] =
    &["docs", "images", "export", "archive", "media", "public", "temp", "data", "cache", "files"];

/// `count` pages, always the same ones.
pub(crate) fn pages(count: usize) -> Vec<Page> {
    let mut dice = Dice(0x5eed);
    (0..count).map(|index| page(index, &mut dice)).collect()
}

fn page(index: usize, dice: &mut Dice) -> Page {
    let dialect = &DIALECTS[index % DIALECTS.len()];
    let mut text = dialect.before.to_owned();
    for _ in 0..2 + dice.below(6) {
        text.push_str(&filled(dialect.pieces[dice.below(dialect.pieces.len())], dice));
    }
    text.push_str(dialect.after);
    let text = filled(&text, dice);
    // As editors of the time saved it.
    let bytes = match dice.below(8) {
        0 => [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect(),
        1 => format!("\u{feff}{text}").into_bytes(),
        2 => text.replace('\n', "\r\n").into_bytes(),
        _ => text.into_bytes(),
    };
    Page { name: format!("made-{index}.{}", dialect.extension), bytes }
}

fn filled(text: &str, dice: &mut Dice) -> String {
    let name = NAMES[dice.below(NAMES.len())];
    let folder = FOLDERS[dice.below(FOLDERS.len())];
    let number = (10 + dice.below(900)).to_string();
    text.replace("$N", name).replace("$F", folder).replace("$K", &number)
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % end as u64) as usize
    }
}
