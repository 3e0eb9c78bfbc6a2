//! Scripts, and what they are read as.

use super::Standing::{self, Lies, Log, Logged, Runs, Served};
use super::{has_script, read};

/// `text` is a script; `expect` its statements.
#[track_caller]
fn check(text: &str, expect: &[&str]) {
    let script = read(text.as_bytes(), Runs).expect("a script");
    assert_eq!(script.text.lines().collect::<Vec<_>>(), expect);
}

#[test]
fn constants_are_put_together() {
    check("<% x = \"a\" & \"b\" & Chr(99) %>", &["x=\"abc\""]);
    check("<?php $f = strrev('cba'); echo $f . 'd'; ?>", &["$f=\"abc\"@packed@", "echo \"abcd\"@packed@"]);
    check("<% var s = String.fromCharCode(97, 0x62); %>", &["var s=\"ab\""]);
    check("<?php $a = 'str'; $a .= 'len'; $a($b); ?>", &["$a=\"str\"", "$a.=\"len\"", "strlen($b)"]);
    check("<% y = \\u0061b(\"c\\x64\"); %>", &["y=ab(\"cd\")"]);
    check("<?php echo base64_decode('aGVsbG8='); ?>", &["echo \"hello\"@packed@"]);
}

#[test]
fn input_is_followed() {
    check(
        "<% a = Request(\"x\"); b = a + \"y\"; f(b); %>",
        &["a@input@=Request(\"x\")@input@", "b@input@=a@input@+\"y\"", "f(b@input@)"],
    );
    check(
        "<?php function g($p) { h($p); } g($_GET['x']); ?>",
        &["function g($p@input@)", "h($p@input@)", "g($_GET[\"x\"]@input@)"],
    );
    check("<?php $c = $_GET['c']; f('a' . $c); ?>", &["$c@input@=$_GET[\"c\"]@input@", "f(\"a\".$c@input@)"]);
    check("<?php echo \"n $_GET[x]\"; ?>", &["echo \"n_$_GET[x]\"@input@"]);
    check(
        "<%@ Page Language=\"C#\" %><% var o = new P { A = 1, B = Request.Form[\"x\"] }; o.Go(); %>",
        &["var o@input@=new P{A=1,B@input@=Request.Form[\"x\"]@input@}", "o@input@.Go()"],
    );
}

#[test]
fn what_is_not_what_was_sent() {
    check("<% int n = int.Parse(Request[\"n\"]); f(n); %>", &["int n=int.Parse(Request[\"n\"])", "f(n)"]);
    check(
        "<% s = Request[\"n\"] == \"a\" ? \"b\" : \"c\"; f(s); %>",
        &["s=Request[\"n\"]==\"a\"?\"b\":\"c\"", "f(s)"],
    );
    check("<?php $v = $map[$_GET['k']]; f($v); ?>", &["$v=$map[$_GET[\"k\"]]", "f($v)"]);
    check(
        "<?php $p = $_GET['p']; if (in_array($p, $all)) { f($p); } ?>",
        &["$p@checked@=$_GET[\"p\"]@input@", "if(in_array($p,$all))", "f($p@checked@)"],
    );
    check("<% HtmlEncode(Read(Request[\"f\"])) %>", &["HtmlEncode(Read(Request[\"f\"]@input@))"]);
}

#[test]
fn a_string_is_no_statement() {
    check("<% Write(\"execute (\" & Request(\"x\")) %>", &["Write(\"execute_{\"&Request(\"x\")@input@)"]);
}

#[test]
fn only_what_runs_is_read() {
    assert_eq!(read(b"<html><script>eval(x)</script></html>", Runs), None);
    assert_eq!(read(b"", Runs), None);
    check("it's <%-- f(1) --%><% f(2); %> don't", &["f(2)"]);
    check("<% f(1); // Request(\"x\")\n/* g */ h(2); %>", &["f(1)", "h(2)"]);
    check("<script runat=\"server\" language=\"vb\">\nDim a ' it's\na = 1\n</script>", &["Dim a", "a=1"]);
}

#[test]
fn places_in_the_file() {
    let text = "<%  f(1);\r\n   g(2); %>";
    let place = |bytes: &[u8], word: &str| {
        let script = read(bytes, Runs).expect("a script");
        script.offset(script.text.find(word).expect("the word") as u64)
    };
    assert_eq!((place(text.as_bytes(), "f("), place(text.as_bytes(), "g(")), (4, 14));
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(place(&wide, "2"), 28);
    assert_eq!(place(&[&[0xff, 0xfe], &wide[..]].concat(), "g("), 30);
}

/// In which standings, from the surest on, there is a script in `text`.
#[track_caller]
fn check_standing(text: &str, expect: &[Standing]) {
    let all = [Runs, Served, Log, Lies, Logged];
    let own: Vec<Standing> =
        all.into_iter().filter(|standing| has_script(text.as_bytes(), *standing)).collect();
    assert_eq!(own, expect, "{text}");
}

#[test]
fn a_page_is_one_wherever_it_lies() {
    let all = [Runs, Served, Log, Lies, Logged];
    check_standing("<% f(1) %>", &all);
    check_standing("\n<html><p>It is said to be a page of many words: <%= f(1) %></p>", &all);
    check_standing("GIF89a;<?php f(1);", &all);
    check_standing("#!/usr/bin/php\n<?php f(1);", &all);
    check_standing("<!-- a -->\n<!-- it is `not` said -->\n<% f(1) %>", &all);
}

#[test]
fn script_behind_something_else() {
    // As it begins a line it may be what the file is for; a log of requests begins no line with one.
    check_standing("#Fields: date\n<%@ Page %><% f(1) %>", &[Runs, Served, Log, Lies]);
    check_standing("2021-03-04 10:00:00 GET /\n<?php f(1);", &[Runs, Served, Log, Lies]);
    check_standing("Mar  4 10:00:00 a sshd[1]: not one of our own users\n<?php f(1);", &[Runs, Served, Log]);
    check_standing("2021-03-04 GET /?a=<?php f(1);?> 200", &[Runs, Served]);
    check_standing("2021-03-04 \"GET /?a=<?php f(1);?>\" 200", &[Runs]);
    check_standing("POST /a HTTP/1.1\nHost: b\n\n<?php f(1);", &[Runs, Served, Log]);
}

#[test]
fn a_quotation_runs_nowhere_but_in_a_page() {
    check_standing("# What it was\n```\n<% f(1) %>\n```\n", &[Runs]);
    check_standing("# What it was\n\nSee `<% f(1) %>` there.\n", &[Runs]);
    check_standing("# What it was\n```\na\n```\n<% f(1) %>\n", &[Runs, Served, Log, Lies]);
    check_standing("<p>```</p>\n```\n<% f(1) %>", &[Runs]);
    check_standing("We found the following page on it:\n\n<% f(1) %>\n", &[Runs, Served, Log]);
    check_standing("We found\n\n    <% f(1) %>\n", &[Runs, Served]);
    check_standing("rule a { strings: $a = \"<?php f(1)\" }", &[Runs]);
    check_standing("<?xml version=\"1.0\"?><a><![CDATA[<?php f(1);?>]]></a>", &[Runs]);
}

#[test]
fn code_without_a_page() {
    check_standing("using System.Web;\nclass A : IHttpHandler {}", &[Runs, Served, Lies]);
    check_standing("import \"pe\"\nrule a { strings: $a = \"System.Web\" }", &[Runs, Served]);
    check_standing("# Of System.Web\n", &[Runs, Served]);
}

#[test]
fn elements_of_containers_are_constants() {
    check(
        "<?php $t = ['go' => 'passthru']; $t['go']($x); ?>",
        &["$t=[\"go\"=>\"passthru\"]", "passthru($x)"],
    );
    check("<% w(0) = \"a\" : w(1) = \"b\" : f w(1) & w(0) %>", &["w(0)=\"a\"", "w(1)=\"b\"", "f \"ba\""]);
    // Set twice, it is no constant; what a call gives back is no container.
    check(
        "<?php $t['a'] = 'x'; $t['a'] = 'y'; f($t['a']); ?>",
        &["$t[\"a\"]=\"x\"", "$t[\"a\"]=\"y\"", "f($t[\"a\"])"],
    );
    check("<?php $t = explode('|', $y); f($t[0]); ?>", &["$t=explode(\"|\",$y)", "f($t[0])"]);
}

#[test]
fn own_functions_that_unpack_are_undone() {
    let decoder = "<?php function d($s) { return base64_decode($s); } f(d('aGVsbG8=')); ?>";
    check(decoder, &["function d($s)", "return base64_decode($s)", "f(\"hello\"@packed@)"]);
    let lines = ["string u(int[]n)", "foreach(var i in n)s+=(char)(i^7)", "f(\"ab\"@packed@)"];
    check(
        "<%@ Page Language=\"C#\" %><% string u(int[] n) { foreach (var i in n) s += (char)(i ^ 7); } f(u(102, 101)); %>",
        &lines,
    );
    check("<% f(o.toString(\"UTF-8\")); %>", &["f(o.toString(\"UTF-8\"))"]);
}

#[test]
fn a_function_that_is_handed_on_gets_what_the_call_is_about() {
    check(
        "<?php $run = fn($c) => g($c); array_map($run, $_POST['l']); ?>",
        &["$run@input@=fn($c@input@)=>g($c@input@)", "array_map($run@input@,$_POST[\"l\"]@input@)"],
    );
    check(
        "<%@ Language=\"VBScript\" %><% Sub Keep(b)\nf b\nEnd Sub\nSet go = GetRef(\"Keep\")\ngo Request(\"x\") %>",
        &[
            "Sub Keep(b@input@)",
            "f b@input@",
            "End Sub",
            "Set go=GetRef(\"Keep\")",
            "go Request(\"x\")@input@",
        ],
    );
}

#[test]
fn what_is_asked_with_is_not_what_comes_back() {
    check("<?php $n = (int) ($_GET['n'] ?? 5); f($n); ?>", &["$n=(int)($_GET[\"n\"]??5)", "f($n)"]);
    check(
        "<% Map m = Map.of(\"a\", \"b\"); f(m.get(request.getParameter(\"x\"))); %>",
        &["Map m=Map.of(\"a\",\"b\")", "f(m.get(request.getParameter(\"x\")))"],
    );
}

#[test]
fn what_grows_with_each_call_is_not_followed() {
    let twice = "s+".repeat(30) + "s";
    let calls = "d(d(d(d(d('0123456789')))));".repeat(200);
    let page = format!("<% function d(s) {{ return {twice}; }} {calls} %>");
    let script = read(page.as_bytes(), Runs).expect("a script");
    assert!(script.text.len() < 16 << 20, "{}", script.text.len());
    let long = "x".repeat(100_000);
    let asks = "f($t['a']);".repeat(5_000);
    let script = read(format!("<?php $t['a'] = '{long}'; {asks}").as_bytes(), Runs).expect("a script");
    assert!(script.text.len() < 16 << 20, "{}", script.text.len());
}
